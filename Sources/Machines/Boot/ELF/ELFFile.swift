// SPDX-License-Identifier: Apache-2.0

/// A little-endian ELF program for a machine, checked (System V gABI, chapters 4 and 5; RISC-V ELF psABI 1.0 §8).
///
/// The bytes may be anything: what is wrong with them is an `ELFError`. After `init` every segment's file range lies in
/// the file and no address range wraps.
public struct ELFFile: Sendable {
    /// A piece of the program to load.
    public struct Segment: Equatable, Sendable {
        /// Where it is linked to run.
        public let virtualAddress: UInt64
        /// Where it is to lie in memory.
        public let physicalAddress: UInt64
        /// Where its bytes start in the file.
        public let fileOffset: UInt64
        /// How many bytes the file holds; the rest up to `memorySize` is zero.
        public let fileSize: UInt64
        /// Bytes in memory, not zero.
        public let memorySize: UInt64
        /// Its code may be executed.
        public let isExecutable: Bool
    }

    /// What it is to run on.
    public enum Platform: Sendable {
        /// A 64-bit program for RISC-V.
        case riscv64
        /// A 64-bit program for x86-64 or a 32-bit one for IA-32: boot protocols enter both in 32-bit mode.
        case pc
    }

    /// Where execution starts: a virtual address.
    public let entry: UInt64
    /// It may be loaded at any address (ET_DYN).
    public let isPositionIndependent: Bool
    /// What to load, in the file's order; not empty.
    public let segments: [Segment]
    /// Where the file's notes lie in it (PT_NOTE): each range within the file.
    let notes: [Range<UInt64>]
    let file: LittleEndianBytes

    // Names of the gABI: EI_CLASS, EI_DATA, ET_*, PT_LOAD, PT_NOTE, PF_X.
    private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]
    /// More program headers than any program has; a bound on work, not on what is right.
    private static let mostSegments = 1024

    /// Whether `bytes` claim to be ELF.
    public static func recognises(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    /// Reads and checks the headers.
    public init(_ bytes: [UInt8], for platform: Platform = .riscv64) throws(ELFError) {
        guard ELFFile.recognises(bytes) else { throw .notELF }
        let file = LittleEndianBytes(bytes: bytes)
        guard file.count >= 20 else { throw .truncated("header") }
        let layout = try ELFLayout(identity: bytes, platform)
        guard file.count >= layout.headerSize else { throw .truncated("header") }
        let type = file.integer(UInt16.self, at: 16) ?? 0
        let machine = file.integer(UInt16.self, at: 18) ?? 0
        guard layout.machines.contains(machine) else { throw platform.otherMachine(machine) }
        guard type == 2 || type == 3 else { throw .notExecutable(type: type) }
        self.file = file
        entry = layout.word(file, at: 24) ?? 0
        isPositionIndependent = type == 3
        (segments, notes) = try ELFFile.readSegments(file, layout)
    }

    private static func readSegments(
        _ file: LittleEndianBytes, _ layout: ELFLayout
    ) throws(ELFError) -> (segments: [Segment], notes: [Range<UInt64>]) {
        let table = layout.word(file, at: layout.programTable) ?? 0
        let entrySize = UInt64(file.integer(UInt16.self, at: layout.programEntrySize) ?? 0)
        let count = Int(file.integer(UInt16.self, at: layout.programEntrySize + 2) ?? 0)
        guard count > 0 else { throw .nothingToLoad }
        guard entrySize >= layout.programHeaderSize else {
            throw .badHeader("program headers of \(entrySize) bytes")
        }
        guard count <= mostSegments else { throw .badHeader("\(count) program headers") }
        guard file.contains(table, count: UInt64(count) * entrySize) else { throw .truncated("program header table") }
        var segments: [Segment] = []
        var notes: [Range<UInt64>] = []
        for index in 0..<count {
            let header = table + UInt64(index) * entrySize
            guard let type = file.integer(UInt32.self, at: header) else { throw .truncated("program header table") }
            guard type == 1 || type == 4 else { continue }
            guard let fields = layout.programHeader(file, at: header) else { throw .truncated("program header table") }
            if type == 4 {
                // A program runs without its notes, so one that is cut short is none.
                guard file.contains(fields.offset, count: fields.fileSize) else { continue }
                notes.append(fields.offset..<fields.offset + fields.fileSize)
            } else if let segment = try readSegment(file, fields, index: index) {
                segments.append(segment)
            }
        }
        guard !segments.isEmpty else { throw .nothingToLoad }
        return (segments, notes)
    }

    private static func readSegment(
        _ file: LittleEndianBytes, _ header: ELFLayout.ProgramHeader, index: Int
    ) throws(ELFError) -> Segment? {
        let (fileSize, memorySize, offset) = (header.fileSize, header.memorySize, header.offset)
        let (virtual, physical) = (header.virtual, header.physical)
        guard memorySize > 0 else { return nil }
        guard fileSize <= memorySize else {
            throw .badSegment(index: index, "\(fileSize) bytes in the file, only \(memorySize) in memory")
        }
        guard fileSize == 0 || file.contains(offset, count: fileSize) else {
            throw .truncated("segment \(index), \(fileSize) bytes at \(offset),")
        }
        guard memorySize - 1 <= UInt64.max - virtual, memorySize - 1 <= UInt64.max - physical else {
            throw .badSegment(index: index, "it wraps around the address space")
        }
        return Segment(
            virtualAddress: virtual, physicalAddress: physical, fileOffset: offset, fileSize: fileSize,
            memorySize: memorySize, isExecutable: header.flags & 1 != 0)
    }

    /// The bytes of `segment` that the file holds.
    public func bytes(of segment: Segment) -> ArraySlice<UInt8> {
        file.slice(segment.fileOffset, count: segment.fileSize) ?? []
    }

    /// The physical address of linked address `virtual`, or nil where no segment holds it.
    public func physicalAddress(of virtual: UInt64) -> UInt64? {
        for segment in segments where virtual &- segment.virtualAddress < segment.memorySize {
            return segment.physicalAddress + (virtual - segment.virtualAddress)
        }
        return nil
    }

    /// The first and last physical addresses that the segments cover.
    public var physicalRange: ClosedRange<UInt64> {
        var first = UInt64.max
        var last: UInt64 = 0
        for segment in segments {
            first = min(first, segment.physicalAddress)
            last = max(last, segment.physicalAddress + (segment.memorySize - 1))
        }
        return first...max(first, last)
    }
}
