// SPDX-License-Identifier: Apache-2.0

import Host

/// What tells a running guest from every other one: 12 hexadecimal digits, new at each start.
public struct GuestIdentifier: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The digits, lower-case.
    public let rawValue: String

    /// Nil where `rawValue` is not 12 lower-case hexadecimal digits.
    public init?(rawValue: String) {
        guard rawValue.utf8.count == GuestIdentifier.digits, GuestIdentifier.isPrefix(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    private init(random bytes: [UInt8]) { rawValue = HexText.encode(bytes) }

    /// A new one, which nobody can guess.
    public static func random() -> GuestIdentifier {
        GuestIdentifier(random: Randomness.bytes(GuestIdentifier.digits / 2))
    }

    public var description: String { rawValue }

    static let digits = 12

    /// Whether an identifier may begin with `text`.
    static func isPrefix(_ text: String) -> Bool {
        (1...digits).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
