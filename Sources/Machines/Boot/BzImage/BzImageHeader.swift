// SPDX-License-Identifier: Apache-2.0

/// The setup header of a Linux `bzImage` for x86 (Linux, Documentation/arch/x86/boot.rst, "Details of Header Fields").
///
/// The file is a boot sector, `setupSectors` more of real-mode code, then the protected-mode kernel: that alone is
/// loaded. The header begins at 0x1F1 and ends where its own jump at 0x200 goes.
public struct BzImageHeader: Equatable, Sendable {
    /// How the kernel may be entered.
    public enum Entry: Equatable, Sendable {
        /// In long mode, 0x200 into the kernel.
        case bits64
        /// In protected mode, at the kernel's start.
        case bits32
    }

    /// What a file that is no usable bzImage is, where that can be told.
    public enum Rejection: Error, Equatable, Sendable, CustomStringConvertible {
        case notImage
        case oldProtocol(version: UInt16)
        case loadedLow
        case damaged(String)

        public var description: String {
            switch self {
            case .notImage:
                "is neither a bzImage nor an ELF or multiboot kernel for x86: give the file that a distribution has "
                    + "as /boot/vmlinuz"
            case .oldProtocol(let version):
                "speaks version \(version >> 8).\(version & 0xFF) of Linux's boot protocol; 2.10 is the oldest that is "
                    + "loaded here"
            case .loadedLow: "is a zImage, which runs in the first 640 KiB: build a bzImage"
            case .damaged(let text): "has a damaged bzImage header: \(text)"
            }
        }
    }

    /// The boot protocol's version, the major number in the high byte.
    public let version: UInt16
    public let entry: Entry
    /// Where the protected-mode kernel begins in the file, and how much of it there is.
    public let kernelOffset: UInt64
    public let kernelSize: UInt64
    /// Where the kernel is to lie where it has the choice, and the alignment of other places.
    public let preferredAddress: UInt64
    public let alignment: UInt64
    /// It runs at any aligned address.
    public let isRelocatable: Bool
    /// The bytes from its address that it needs before it knows of any memory map.
    public let workSize: UInt64
    /// The last address that an initrd may have.
    public let initrdLimit: UInt64
    /// The most bytes of a command line, without the zero that ends it.
    public let commandLineLimit: UInt64
    /// The header as the zero page takes it: from 0x1F1.
    let fields: [UInt8]

    /// How much of a file `init` needs.
    static let size: UInt64 = 0x290
    /// Where the header lies in the file and in the zero page.
    static let start = 0x1F1
    /// No kernel is larger than this; what says so is damaged.
    private static let largest: UInt64 = 1 << 31

    /// Whether `bytes` claim to be a bzImage.
    static func recognises(_ bytes: [UInt8]) -> Bool {
        let file = LittleEndianBytes(bytes: bytes)
        return file.has([0x55, 0xAA], at: 0x1FE) && file.has(Array("HdrS".utf8), at: 0x202)
    }

    /// Reads the header from the first bytes of a file of `fileSize`.
    public init(_ bytes: [UInt8], fileSize: UInt64) throws(Rejection) {
        guard BzImageHeader.recognises(bytes) else { throw .notImage }
        let file = LittleEndianBytes(bytes: bytes)
        version = file.integer(UInt16.self, at: 0x206) ?? 0
        // 2.10 is Linux 2.6.31: the first with pref_address and init_size.
        guard version >= 0x20A else { throw .oldProtocol(version: version) }
        guard file.count >= BzImageHeader.size, bytes[0x211] & 1 != 0 else { throw .loadedLow }
        let end = 0x202 + Int(bytes[0x201])
        guard end >= 0x264, end <= BzImageHeader.size else { throw .damaged("it ends at 0x\(String(end, radix: 16))") }
        fields = Array(bytes[BzImageHeader.start..<end])

        // Zero stands for four, as the first boot loaders had it.
        let sectors = UInt64(bytes[BzImageHeader.start] == 0 ? 4 : bytes[BzImageHeader.start])
        kernelOffset = (sectors + 1) * 512
        guard kernelOffset < fileSize else {
            throw .damaged("\(sectors) sectors of setup code are more than the file's \(fileSize) bytes")
        }
        kernelSize = fileSize - kernelOffset
        let flags = version >= 0x20C ? file.integer(UInt16.self, at: 0x236) ?? 0 : 0
        entry = flags & 1 != 0 ? .bits64 : .bits32
        guard entry == .bits32 || kernelSize > 0x200 else { throw .damaged("its 64-bit entry lies behind its end") }

        isRelocatable = bytes[0x234] != 0
        let alignment = UInt64(file.integer(UInt32.self, at: 0x230) ?? 0)
        guard !isRelocatable || (alignment.nonzeroBitCount == 1 && alignment >= 4096) else {
            throw .damaged("an alignment of \(alignment) bytes")
        }
        self.alignment = isRelocatable ? max(alignment, 0x10_0000) : 1
        let preferred = file.integer(UInt64.self, at: 0x258) ?? 0
        guard preferred >= 0x10_0000, preferred < BzImageHeader.largest else {
            throw .damaged("a preferred address of 0x\(String(preferred, radix: 16))")
        }
        preferredAddress = preferred
        workSize = max(UInt64(file.integer(UInt32.self, at: 0x260) ?? 0), kernelSize)
        guard workSize < BzImageHeader.largest else { throw .damaged("\(workSize) bytes to work in") }
        initrdLimit = UInt64(file.integer(UInt32.self, at: 0x22C) ?? 0)
        commandLineLimit = UInt64(file.integer(UInt32.self, at: 0x238) ?? 0)
    }

    /// Where the kernel goes in RAM that ends at `end`: where it prefers to, else the highest place below.
    public func address(endOfMemory end: UInt64) -> UInt64 {
        guard isRelocatable, workSize <= end, end - workSize < preferredAddress else { return preferredAddress }
        let highest = (end - workSize) & ~(alignment - 1)
        return highest >= PCMemoryMap.extendedBase ? highest : preferredAddress
    }
}
