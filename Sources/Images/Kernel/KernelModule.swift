// SPDX-License-Identifier: Apache-2.0

/// One kernel module: its object file and what that says of itself.
struct KernelModule {
    /// With underscores, as the kernel calls it.
    let name: String
    /// The uncompressed ELF file, without the signature behind it.
    let bytes: [UInt8]
    /// Modules that must be there first.
    let dependencies: [String]
    /// What devices and file systems call it by: patterns that modprobe matches.
    let aliases: [String]

    /// Reads the `.modinfo` section: zero-terminated `key=value` strings.
    init(name: String, bytes: [UInt8]) throws(ImageError) {
        guard let section = Self.section(".modinfo", of: LittleEndianBytes(bytes)) else {
            throw .malformed(file: "\(name).ko", reason: "it has no .modinfo section")
        }
        var dependencies: [String] = []
        var aliases: [String] = []
        for item in section.split(separator: 0) {
            let text = String(decoding: item, as: UTF8.self)
            if text.hasPrefix("depends=") {
                dependencies += text.dropFirst(8).split(separator: ",").map { Self.canonicalName($0) }
            } else if text.hasPrefix("alias=") {
                aliases.append(String(text.dropFirst(6)))
            }
        }
        self.name = name
        self.bytes = Self.withoutSignature(bytes)
        self.dependencies = dependencies
        self.aliases = aliases
    }

    /// Cuts off the signature that Debian appends (Linux include/linux/module_signature.h: the signature, 12 bytes that
    /// end with its size, a magic text). The package's own signature has been verified, and verifying each module again
    /// takes an interpreted guest ten times as long as loading it: a billion instructions for ext4. A kernel that does not
    /// insist on signatures notes their absence in its log, once.
    private static func withoutSignature(_ bytes: [UInt8]) -> [UInt8] {
        let magic = Array("~Module signature appended~\n".utf8)
        let trailer = magic.count + 12
        guard bytes.count >= trailer, bytes.suffix(magic.count).elementsEqual(magic) else { return bytes }
        let sizeField = bytes[(bytes.count - magic.count - 4)...].prefix(4)
        let size = sizeField.reduce(0) { $0 << 8 | Int($1) }
        guard size <= bytes.count - trailer else { return bytes }
        return Array(bytes.dropLast(trailer + size))
    }

    /// The kernel and modprobe take '-' and '_' for the same.
    static func canonicalName(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }

    /// The bytes of a section of a 64-bit little-endian ELF file (System V gABI, "Sections").
    private static func section(_ name: String, of file: LittleEndianBytes) -> ArraySlice<UInt8>? {
        guard file.slice(0, 6)?.elementsEqual([0x7F, 0x45, 0x4C, 0x46, 2, 1]) == true,
            let table = file.extent(at: 0x28), let entrySize = file.half(at: 0x3A), entrySize >= 64,
            let count = file.half(at: 0x3C), let namesIndex = file.half(at: 0x3E),
            let headers = file.slice(table, entrySize * count).map({ LittleEndianBytes(Array($0)) }),
            let namesOffset = headers.extent(at: namesIndex * entrySize + 0x18),
            let namesSize = headers.extent(at: namesIndex * entrySize + 0x20),
            let names = file.slice(namesOffset, namesSize)
        else { return nil }
        for index in 0..<count {
            guard let nameOffset = headers.word(at: index * entrySize), nameOffset < names.count else { continue }
            let start = names.startIndex + nameOffset
            guard names[start...].prefix(while: { $0 != 0 }).elementsEqual(name.utf8),
                let offset = headers.extent(at: index * entrySize + 0x18),
                let size = headers.extent(at: index * entrySize + 0x20)
            else { continue }
            return file.slice(offset, size)
        }
        return nil
    }
}
