// SPDX-License-Identifier: Apache-2.0

/// What a user calls a guest: it is also a folder's name.
public struct GuestName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String

    /// Nil where `rawValue` is no name; `init(parsing:)` says why.
    public init?(rawValue: String) {
        guard let name = try? GuestName(parsing: rawValue) else { return nil }
        self = name
    }

    /// A name as the user writes it: a letter or digit, then letters, digits, `-`, `_` and `.`, 63 at most; not 12
    /// hexadecimal digits, which would be taken for an identifier.
    public init(parsing text: String) throws(VirtualMachineError) {
        guard GuestName.isName(text) else {
            throw VirtualMachineError(
                .configuration,
                "'\(text)' cannot be a guest's name; use up to 63 letters, digits, '-', '_' and '.', the first a letter "
                    + "or digit")
        }
        guard GuestIdentifier(rawValue: text) == nil else {
            throw VirtualMachineError(
                .configuration, "the name '\(text)' would be taken for a guest's ID; choose another")
        }
        rawValue = text
    }

    public var description: String { rawValue }

    private static func isName(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }
}
