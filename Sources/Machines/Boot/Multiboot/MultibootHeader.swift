// SPDX-License-Identifier: Apache-2.0

/// The header by which a file says that it starts as Multiboot has it (Multiboot 0.6.96 §3.1): twelve bytes or more,
/// on a multiple of four, within the first 8192.
public struct MultibootHeader: Equatable, Sendable {
    /// Where a file lies that says so itself: a flat one (§3.1.3).
    public struct Addresses: Equatable, Sendable {
        /// The part of the file that is loaded.
        public let fileOffset: UInt64
        public let fileSize: UInt64
        /// Where it goes, and the bytes there with zeroed ones behind.
        public let loadAddress: UInt64
        public let memorySize: UInt64
        public let entry: UInt64
    }

    /// Why a file that has a header cannot be loaded.
    public enum Rejection: Error, Equatable, Sendable, CustomStringConvertible {
        case unknownFlags(UInt32)
        case videoMode
        case badAddresses(String)

        public var description: String {
            switch self {
            case .unknownFlags(let flags):
                "asks for Multiboot features that version 1 does not have (flags 0x\(String(flags, radix: 16)))"
            case .videoMode: "asks for a video mode by its Multiboot header, and the machine has no display"
            case .badAddresses(let text): "has a damaged Multiboot header: \(text)"
            }
        }
    }

    /// Its modules want to begin on pages.
    public let alignsModules: Bool
    /// Where it is loaded, if it is no ELF program that says that better.
    public let addresses: Addresses?

    private static let magic: UInt32 = 0x1BAD_B002
    /// How much of a file is searched.
    static let searched: UInt64 = 8192

    /// The header of a file of `fileSize` that begins with `bytes`; nil where there is none.
    public init?(_ bytes: [UInt8], fileSize: UInt64) throws(Rejection) {
        let file = LittleEndianBytes(bytes: bytes)
        guard let start = MultibootHeader.find(file), let flags = file.integer(UInt32.self, at: start + 4) else {
            return nil
        }
        // §3.1.2: bits 0 to 15 are requirements; of those only the first three exist.
        guard flags & 0xFFF8 == 0 else { throw .unknownFlags(flags) }
        guard flags & 4 == 0 else { throw .videoMode }
        alignsModules = flags & 1 != 0
        addresses = flags >> 16 & 1 == 0 ? nil : try Addresses(file, header: start, fileSize: fileSize)
    }

    private static func find(_ file: LittleEndianBytes) -> UInt64? {
        var offset: UInt64 = 0
        while offset + 12 <= min(file.count, searched) {
            if file.integer(UInt32.self, at: offset) == magic, let flags = file.integer(UInt32.self, at: offset + 4),
                let checksum = file.integer(UInt32.self, at: offset + 8), magic &+ flags &+ checksum == 0
            {
                return offset
            }
            offset += 4
        }
        return nil
    }
}

extension MultibootHeader.Addresses {
    /// The address fields of the header at `header` (§3.1.3): header_addr, load_addr, load_end_addr (0: to the file's
    /// end), bss_end_addr (0: no such), entry_addr.
    init(_ file: LittleEndianBytes, header: UInt64, fileSize: UInt64) throws(MultibootHeader.Rejection) {
        func field(_ index: UInt64) -> UInt64? {
            file.integer(UInt32.self, at: header + 12 + index * 4).map(UInt64.init)
        }
        guard let own = field(0), let load = field(1), let loadEnd = field(2), let zeroEnd = field(3),
            let entry = field(4)
        else { throw .badAddresses("its address fields lie past the end of the file") }
        guard load <= own, own - load <= header else {
            throw .badAddresses("its load address 0x\(String(load, radix: 16)) does not fit its place in the file")
        }
        let offset = header - (own - load)
        let size = loadEnd == 0 ? fileSize - offset : loadEnd &- load
        guard loadEnd == 0 || loadEnd > load, size <= fileSize - offset else {
            throw .badAddresses("it ends at 0x\(String(loadEnd, radix: 16)), past the end of the file")
        }
        guard zeroEnd == 0 || zeroEnd >= load + size else {
            throw .badAddresses("its zeroed memory ends at 0x\(String(zeroEnd, radix: 16)), before what is loaded")
        }
        let memorySize = zeroEnd == 0 ? size : zeroEnd - load
        guard entry >= load, entry - load < memorySize else {
            throw .badAddresses("it starts at 0x\(String(entry, radix: 16)), outside of what is loaded")
        }
        self.init(fileOffset: offset, fileSize: size, loadAddress: load, memorySize: memorySize, entry: entry)
    }
}
