// SPDX-License-Identifier: Apache-2.0

@testable import Machines

/// Well-formed kernels for the x86-64 machine, to be damaged by tests.
enum TestKernels {
    /// The fields of a bzImage's header, as Debian's kernel has them.
    struct BzImage {
        var version: UInt16 = 0x20F
        var loadFlags: UInt8 = 1
        var setupSectors: UInt8 = 2
        var flags: UInt16 = 1
        var alignment: UInt32 = 0x20_0000
        var isRelocatable: UInt8 = 1
        var preferred: UInt64 = 0x100_0000
        var workSize: UInt32 = 0x40_0000
        var initrdLimit: UInt32 = 0x7FFF_FFFF
        var commandLineLimit: UInt32 = 2047
        var headerEnd: UInt8 = 0x6A
        var kernel = [UInt8](repeating: 0x90, count: 0x1000)

        var bytes: [UInt8] {
            var file = LittleEndianWriter(count: (max(Int(setupSectors), 1) + 1) * 512)
            file.set(setupSectors, at: 0x1F1)
            file.set(UInt16(0xAA55), at: 0x1FE)
            file.set([0xEB, headerEnd], at: 0x200)
            file.set(Array("HdrS".utf8), at: 0x202)
            file.set(version, at: 0x206)
            file.set(loadFlags, at: 0x211)
            file.set(initrdLimit, at: 0x22C)
            file.set(alignment, at: 0x230)
            file.set(isRelocatable, at: 0x234)
            file.set(flags, at: 0x236)
            file.set(commandLineLimit, at: 0x238)
            file.set(preferred, at: 0x258)
            file.set(workSize, at: 0x260)
            return file.bytes + kernel
        }

        func edited(_ change: (inout BzImage) -> Void) -> [UInt8] {
            var copy = self
            change(&copy)
            return copy.bytes
        }
    }

    /// An ELF program of one segment at `address`, with these bytes before its note, if it has one.
    static func elf(
        is64Bit: Bool, address: UInt64 = 0x10_0000, virtual: UInt64? = nil, entry: UInt64? = nil, code: [UInt8],
        note: [UInt8] = []
    ) -> [UInt8] {
        let word: (UInt64) -> [UInt8] = {
            is64Bit ? LittleEndianWriter.bytes($0) : LittleEndianWriter.bytes(UInt32($0))
        }
        let (headerSize, entrySize) = is64Bit ? (64, 56) : (52, 32)
        let body = headerSize + 2 * entrySize
        var file = LittleEndianWriter(
            [0x7F, 0x45, 0x4C, 0x46, is64Bit ? 2 : 1, 1, 1] + [UInt8](repeating: 0, count: 9))
        file.append(UInt16(2))
        file.append(UInt16(is64Bit ? 62 : 3))
        file.append(UInt32(1))
        for value in [entry ?? virtual ?? address, UInt64(headerSize), 0] { file.append(word(value)) }
        file.append(UInt32(0))
        for value in [headerSize, entrySize, 2, 0, 0, 0] { file.append(UInt16(value)) }
        func header(kind: UInt32, offset: Int, at address: UInt64, virtual: UInt64, size: Int) {
            let places = [UInt64(offset), virtual, address, UInt64(size), UInt64(size)].flatMap(word)
            file.append(kind)
            if is64Bit { file.append(UInt32(7)) }
            file.append(places)
            if !is64Bit { file.append(UInt32(7)) }
            file.append(word(4))
        }
        header(kind: 1, offset: body, at: address, virtual: virtual ?? address, size: code.count)
        header(kind: 4, offset: body + code.count, at: 0, virtual: 0, size: note.count)
        return file.bytes + code + note
    }

    /// A note of owner `owner`.
    static func note(_ description: [UInt8], type: UInt32 = 18, owner: String = "Xen") -> [UInt8] {
        var note = LittleEndianWriter([])
        note.append(UInt32(owner.utf8.count + 1))
        note.append(UInt32(description.count))
        note.append(type)
        note.append(padded(Array(owner.utf8) + [0]) + padded(description))
        return note.bytes
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count & 3) & 3)
    }

    /// A Multiboot header with `flags` and address fields.
    static func multiboot(flags: UInt32 = 0, addresses: [UInt32] = []) -> [UInt8] {
        let magic: UInt32 = 0x1BAD_B002
        return ([magic, flags, 0 &- magic &- flags] + addresses).flatMap(LittleEndianWriter.bytes)
    }

    /// A flat Multiboot kernel of `size` bytes at `address`, which starts behind its header.
    static func flat(
        address: UInt32 = 0x10_0000, size: Int = 256, loadEnd: UInt32 = 0, zeroEnd: UInt32 = 0x10_1000,
        entry: UInt32 = 0x10_0020
    ) -> [UInt8] {
        let header = multiboot(flags: 1 << 16, addresses: [address, address, loadEnd, zeroEnd, entry])
        return header + [UInt8](repeating: 0x90, count: size - header.count)
    }
}
