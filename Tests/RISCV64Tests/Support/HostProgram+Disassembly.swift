// SPDX-License-Identifier: Apache-2.0

import Foundation
import RISCVOracle

extension HostProgram {
    /// All that binutils 2.40 knows of what the tables have.
    static let architecture = "rv64gc_zba_zbb_zbc_zbs_zfh_zicbom_zicboz_svinval_zawrs_zihintpause"

    /// objdump's text of each 4 bytes of `words`, the first at address 0, in the assembler's short forms: RV64GC only.
    static func disassemble(raw words: [UInt32], in folder: TestFolder) throws -> [String] {
        try folder.write(words.withUnsafeBytes { Data($0) }, to: "code.bin")
        let arguments = ["-D", "-z", "-b", "binary", "-m", "riscv:rv64", "code.bin"]
        return texts(try run(disassembler, arguments, in: folder), count: words.count)
    }

    /// objdump's text of each of `words`, 32-bit instructions of any extension, in their long forms.
    static func disassemble(_ words: [UInt32], in folder: TestFolder) throws -> [String] {
        let source = words.map { ".insn 0x" + String($0, radix: 16) + "\n" }.joined()
        try folder.write(Data(source.utf8), to: "list.s")
        try run(assembler, ["-march=" + architecture, "list.s", "-o", "list.o"], in: folder)
        let listing = try run(disassembler, ["-d", "-z", "-M", "no-aliases", "list.o"], in: folder)
        return texts(listing, count: words.count)
    }

    private static func texts(_ listing: Data, count: Int) -> [String] {
        var texts = [String](repeating: "", count: count)
        for line in String(decoding: listing, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let place = line.drop { $0 == " " }.prefix { $0.isHexDigit }
            guard fields.count > 2, let address = Int(place, radix: 16), address % 4 == 0 else { continue }
            let text = fields[2...].joined(separator: " ").split(separator: "#")[0].split(separator: "<")[0]
            texts[address / 4] = text.split(separator: " ").joined(separator: " ")
        }
        return texts
    }
}
