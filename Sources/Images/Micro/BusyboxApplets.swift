// SPDX-License-Identifier: Apache-2.0

/// The commands that a busybox program can be called as. It belongs to another processor, so it is not run: its table
/// of names is read. busybox searches the table by bisection, hence it is sorted, and it begins with `[` and `[[`.
struct BusyboxApplets {
    let names: [String]

    /// - Parameters:
    ///   - program: the bytes of a busybox program.
    ///   - required: names that it must have for our scripts to work.
    init(program: [UInt8], required: [String]) throws(ImageError) {
        // The same bytes may stand elsewhere by chance; the table is the longest list.
        var longest: [String] = []
        for offset in Self.candidates(in: program.span) {
            let names = Self.names(in: program.span, at: offset)
            if names.count > longest.count { longest = names }
        }
        if let missing = required.first(where: { !longest.contains($0) }) {
            throw .missingInPackage(what: "command \(missing) in busybox", package: "busybox-static")
        }
        names = longest
    }

    /// Where the bytes of `[` and `[[`, each with its zero, stand.
    private static func candidates(in program: borrowing Span<UInt8>) -> [Int] {
        let bracket = UInt8(ascii: "[")
        var offsets: [Int] = []
        var index = 0
        while index + 5 <= program.count {
            if program[index] == bracket, program[index + 1] == 0, program[index + 2] == bracket,
                program[index + 3] == bracket, program[index + 4] == 0
            {
                offsets.append(index)
            }
            index += 1
        }
        return offsets
    }

    private static func names(in program: borrowing Span<UInt8>, at offset: Int) -> [String] {
        var names: [String] = []
        var name: [UInt8] = []
        var index = offset
        while index < program.count, name.count < 64 {
            let byte = program[index]
            index += 1
            if byte != 0 {
                guard isNameByte(byte) else { break }
                name.append(byte)
                continue
            }
            let text = String(decoding: name, as: UTF8.self)
            if name.isEmpty || names.last.map({ !$0.utf8.lexicographicallyPrecedes(name) }) == true { break }
            names.append(text)
            name = []
        }
        return names
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "[-_.".utf8.contains(byte)
        }
    }
}
