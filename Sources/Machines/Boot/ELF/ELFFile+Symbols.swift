// SPDX-License-Identifier: Apache-2.0

extension ELFFile {
    /// The values (linked addresses) of those of `names` that the symbol tables define (gABI chapter 4, "Symbol Table").
    ///
    /// A file without symbols, or with a damaged table, has none: a program runs without them. Names and entries are
    /// compared in place, so the work is bounded by the file's size.
    ///
    /// Those of 64-bit files: no 32-bit program is asked for any.
    public func symbols(named names: [String]) -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        let wanted = names.map { (name: $0, bytes: Array($0.utf8) + [0]) }
        for table in symbolTables() {
            for index in 0..<table.count {
                let entry = table.offset + index * ELFFile.symbolSize
                guard let name = file.integer(UInt32.self, at: entry),
                    let section = file.integer(UInt16.self, at: entry + 6),
                    let value = file.integer(UInt64.self, at: entry + 8)
                else { break }
                guard section != 0, UInt64(name) < table.stringsSize else { continue }
                for (text, bytes) in wanted where file.has(bytes, at: table.strings + UInt64(name)) {
                    found[text] = value
                }
            }
        }
        return found
    }

    private struct SymbolTable {
        let offset: UInt64
        let count: UInt64
        let strings: UInt64
        let stringsSize: UInt64
    }

    private static var symbolSize: UInt64 { 24 }
    private static var sectionHeaderSize: UInt64 { 64 }

    /// The SHT_SYMTAB sections whose entries and strings lie in the file.
    private func symbolTables() -> [SymbolTable] {
        guard file.bytes[4] == 2, let table = file.integer(UInt64.self, at: 40), table != 0,
            let entrySize = file.integer(UInt16.self, at: 58), UInt64(entrySize) >= ELFFile.sectionHeaderSize,
            let count = file.integer(UInt16.self, at: 60),
            file.contains(table, count: UInt64(count) * UInt64(entrySize))
        else { return [] }
        var tables: [SymbolTable] = []
        for index in 0..<UInt64(count) {
            let header = table + index * UInt64(entrySize)
            guard file.integer(UInt32.self, at: header + 4) == 2,
                let offset = file.integer(UInt64.self, at: header + 24),
                let size = file.integer(UInt64.self, at: header + 32),
                let link = file.integer(UInt32.self, at: header + 40),
                file.contains(offset, count: size), UInt64(link) < UInt64(count)
            else { continue }
            let stringHeader = table + UInt64(link) * UInt64(entrySize)
            guard let strings = file.integer(UInt64.self, at: stringHeader + 24),
                let stringsSize = file.integer(UInt64.self, at: stringHeader + 32),
                file.contains(strings, count: stringsSize)
            else { continue }
            tables.append(
                SymbolTable(
                    offset: offset, count: size / ELFFile.symbolSize, strings: strings, stringsSize: stringsSize))
            // A file may name one table many times; two are more than any linker writes.
            if tables.count == 2 { break }
        }
        return tables
    }
}
