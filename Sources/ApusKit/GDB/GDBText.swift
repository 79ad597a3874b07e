// SPDX-License-Identifier: Apache-2.0

extension UInt8 {
    /// 0 to 15 for an ASCII hexadecimal digit, else nil.
    package var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The ASCII digit for the low four bits of `value`.
    package static func hexDigit(_ value: UInt8) -> UInt8 {
        let digit = value & 15
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}

/// Reads the fields of a packet from its start; every reader answers nil, and takes nothing, where the text is another.
struct GDBReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ content: ArraySlice<UInt8>) { rest = content }

    var isAtEnd: Bool { rest.isEmpty }
    var text: String { String(decoding: rest, as: UTF8.self) }

    /// Takes `prefix` if it comes next.
    mutating func take(_ prefix: String) -> Bool {
        guard rest.starts(with: prefix.utf8) else { return false }
        rest = rest.dropFirst(prefix.utf8.count)
        return true
    }

    /// A big-endian hexadecimal number of 1 to 16 digits.
    mutating func number() -> UInt64? {
        let digits = rest.prefix { $0.hexDigitValue != nil }
        guard (1...16).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 << 4 | UInt64($1.hexDigitValue ?? 0) }
    }

    /// The bytes that the rest spells in hexadecimal pairs.
    mutating func bytes() -> [UInt8]? {
        guard rest.count.isMultiple(of: 2), rest.allSatisfy({ $0.hexDigitValue != nil }) else { return nil }
        defer { rest = [] }
        return stride(from: rest.startIndex, to: rest.endIndex, by: 2).map {
            (rest[$0].hexDigitValue ?? 0) << 4 | (rest[$0 + 1].hexDigitValue ?? 0)
        }
    }

    /// A thread id: nil where there is none.
    mutating func thread() -> GDBThread? {
        if take("-1") { return .all }
        guard let number = number() else { return nil }
        return number == 0 ? .any : .one(Int(truncatingIfNeeded: min(number, 1 << 32)) - 1)
    }
}

/// Which threads a packet means. The protocol counts from 1, targets from 0.
enum GDBThread: Equatable {
    case all
    case any
    case one(Int)
}

extension [UInt8] {
    /// Each byte as two hexadecimal digits.
    init(hex bytes: some Sequence<UInt8>) {
        self = bytes.flatMap { [.hexDigit($0 >> 4), .hexDigit($0)] }
    }

    /// The low `bytes` bytes of `value`, in the target's order (little-endian), as hexadecimal.
    init(hex value: UInt64, bytes: Int) {
        self.init(hex: (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
    }
}
