// SPDX-License-Identifier: Apache-2.0

/// Where a class of ELF has its fields (gABI, figures 4-3 and 5-1), and which machines it may be for.
struct ELFLayout: Sendable {
    /// The fields of a program header that loaders use.
    struct ProgramHeader {
        let flags: UInt32
        let offset: UInt64
        let virtual: UInt64
        let physical: UInt64
        let fileSize: UInt64
        let memorySize: UInt64
    }

    let is64Bit: Bool
    /// EM_RISCV 243, EM_X86_64 62, EM_386 3.
    let machines: [UInt16]

    /// The layout that the identification of a file names, for a program of `platform`'s.
    init(identity: [UInt8], _ platform: ELFFile.Platform) throws(ELFError) {
        is64Bit = identity[4] == 2
        switch platform {
        case .riscv64:
            guard is64Bit, identity[5] == 1 else { throw .wrongClass }
            machines = [243]
        case .pc:
            guard identity[5] == 1 else { throw .wrongByteOrder }
            guard is64Bit || identity[4] == 1 else { throw .badHeader("class \(identity[4])") }
            machines = is64Bit ? [62] : [3]
        }
    }

    var headerSize: UInt64 { is64Bit ? 64 : 52 }
    var programHeaderSize: UInt64 { is64Bit ? 56 : 32 }
    /// The offset of e_phoff.
    var programTable: UInt64 { is64Bit ? 32 : 28 }
    /// The offset of e_phentsize, which e_phnum follows.
    var programEntrySize: UInt64 { is64Bit ? 54 : 42 }

    /// An address or offset of the class's width.
    func word(_ file: LittleEndianBytes, at offset: UInt64) -> UInt64? {
        is64Bit
            ? file.integer(UInt64.self, at: offset) : file.integer(UInt32.self, at: offset).map(UInt64.init)
    }

    /// The program header at `header`, or nil past the end of the file.
    func programHeader(_ file: LittleEndianBytes, at header: UInt64) -> ProgramHeader? {
        let size: UInt64 = is64Bit ? 8 : 4
        let words = header + (is64Bit ? 8 : 4)
        guard let flags = file.integer(UInt32.self, at: header + (is64Bit ? 4 : 24)),
            let offset = word(file, at: words), let virtual = word(file, at: words + size),
            let physical = word(file, at: words + 2 * size), let fileSize = word(file, at: words + 3 * size),
            let memorySize = word(file, at: words + 4 * size)
        else { return nil }
        return ProgramHeader(
            flags: flags, offset: offset, virtual: virtual, physical: physical, fileSize: fileSize,
            memorySize: memorySize)
    }
}

extension ELFFile.Platform {
    /// The error for a program of another machine's.
    func otherMachine(_ machine: UInt16) -> ELFError {
        switch self {
        case .riscv64: .notRISCV64(machine: machine)
        case .pc: .notPC(machine: machine)
        }
    }
}
