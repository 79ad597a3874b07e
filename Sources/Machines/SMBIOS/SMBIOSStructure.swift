// SPDX-License-Identifier: Apache-2.0

/// A structure of SMBIOS: a header, fields, and strings that the fields name by number (SMBIOS 3.0 §6.1).
struct SMBIOSStructure: Sendable {
    private var fields: LittleEndianWriter
    private var strings: [String] = []

    /// A structure of `type` and `size` bytes without its strings, to be found by `handle`.
    init(type: UInt8, size: Int, handle: UInt16) {
        fields = LittleEndianWriter(count: size)
        fields.set(type, at: 0)
        fields.set(UInt8(size), at: 1)
        fields.set(handle, at: 2)
    }

    /// Sets the field at `offset`.
    mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) { fields.set(value, at: offset) }

    /// Sets bytes from `offset`.
    mutating func set(_ bytes: [UInt8], at offset: Int) { fields.set(bytes, at: offset) }

    /// Sets the field at `offset` to the number of `text`, which joins the strings; an empty one is none.
    mutating func set(_ text: String, at offset: Int) {
        let clean = String(decoding: text.utf8.filter { $0 != 0 }, as: UTF8.self)
        guard !clean.isEmpty else { return }
        let number = strings.firstIndex(of: clean) ?? strings.count
        if number == strings.count { strings.append(clean) }
        fields.set(UInt8(number + 1), at: offset)
    }

    /// The structure with its strings, each ended by a zero, and one more zero; two zeros where there are none (§6.1.3).
    var bytes: [UInt8] {
        fields.bytes + (strings.isEmpty ? [0] : strings.flatMap { Array($0.utf8) + [0] }) + [0]
    }
}
