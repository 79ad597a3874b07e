// SPDX-License-Identifier: Apache-2.0

/// A number of bytes as people write it: `512M`, `1G`; the suffixes K, M, G and T are binary.
public struct ByteSize: Hashable, TextCoded {
    public let bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }

    /// Digits with one suffix, or none for bytes.
    public init(parsing text: String) throws(VirtualMachineError) {
        let shifts: [Character: UInt64] = ["K": 10, "M": 20, "G": 30, "T": 40]
        let shift = text.last.flatMap { shifts[Character($0.uppercased())] }
        let digits = shift == nil ? text[...] : text.dropLast()
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        guard isNumber, let number = UInt64(digits) else {
            throw VirtualMachineError(
                .configuration, "size '\(text)' cannot be read; write a whole number with K, M, G or T, such as 512M")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        guard !overflow else {
            throw VirtualMachineError(.configuration, "size '\(text)' is larger than any memory or file")
        }
        self.bytes = bytes
    }

    /// The shortest exact form.
    public var description: String {
        for (suffix, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] as [(String, UInt64)]
        where bytes > 0 && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(suffix)"
        }
        return "\(bytes)"
    }
}
