// SPDX-License-Identifier: Apache-2.0

/// A statement of ACPI's machine language: a value, encoded once the tree stands (ACPI 6.5 §20.2.5).
///
/// Names are as the source language has them: up to four characters a segment, segments parted by dots, `\` the root.
indirect enum AMLTerm: Sendable {
    /// `Scope (name) { … }`
    case scope(String, [AMLTerm])
    /// `Device (name) { … }`
    case device(String, [AMLTerm])
    /// `Name (name, value)`
    case name(String, AMLValue)
    /// `Method (name, arguments) { … }`
    case method(String, arguments: UInt8, [AMLTerm])
    /// `If (value) { … } Else { … }`
    case `if`(AMLValue, [AMLTerm], otherwise: [AMLTerm])
    /// `Store (value, name)`
    case store(AMLValue, into: String)
    /// `Return (value)`
    case returns(AMLValue)

    /// The bytes of the statement.
    var bytes: [UInt8] {
        switch self {
        case .scope(let name, let terms): AML.sized([0x10], AML.name(name) + AML.list(terms))
        case .device(let name, let terms): AML.sized([0x5B, 0x82], AML.name(name) + AML.list(terms))
        case .name(let name, let value): [0x08] + AML.name(name) + value.bytes
        case .method(let name, let arguments, let terms):
            AML.sized([0x14], AML.name(name) + [arguments & 7] + AML.list(terms))
        case .if(let value, let terms, let otherwise):
            AML.sized([0xA0], value.bytes + AML.list(terms))
                + (otherwise.isEmpty ? [] : AML.sized([0xA1], AML.list(otherwise)))
        case .store(let value, let name): [0x70] + value.bytes + AML.name(name)
        case .returns(let value): [0xA4] + value.bytes
        }
    }
}

/// A value of ACPI's machine language (ACPI 6.5 §20.2.3).
indirect enum AMLValue: Sendable {
    case integer(UInt64)
    case string(String)
    /// `EisaId ("PNP0A08")`: three letters and four hexadecimal digits.
    case eisa(String)
    case package([AMLValue])
    case buffer([UInt8])
    /// `ResourceTemplate () { … }`
    case resources([AMLResource])
    /// The value of a named object.
    case named(String)
    /// `Arg0` to `Arg6`.
    case argument(UInt8)

    /// The bytes of the value, an integer as short as it can be.
    var bytes: [UInt8] {
        switch self {
        case .integer(let value): AML.integer(value)
        case .string(let text): [0x0D] + text.utf8.filter { $0 != 0 } + [0]
        case .eisa(let name): AML.integer(UInt64(AML.eisa(name)))
        case .package(let elements): AML.sized([0x12], [UInt8(elements.count)] + elements.flatMap(\.bytes))
        case .buffer(let bytes): AML.sized([0x11], AML.integer(UInt64(bytes.count)) + bytes)
        case .resources(let resources): AMLValue.buffer(AMLResource.template(resources)).bytes
        case .named(let name): AML.name(name)
        case .argument(let number): [0x68 + number]
        }
    }
}

/// How ACPI's machine language writes names, lengths and numbers.
enum AML {
    static func list(_ terms: [AMLTerm]) -> [UInt8] { terms.flatMap(\.bytes) }

    /// An operator, the length of what follows it, and that (§20.2.4). The length counts its own bytes.
    static func sized(_ operation: [UInt8], _ body: [UInt8]) -> [UInt8] {
        operation + length(body.count) + body
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count + 1 < 1 << 6 { return [UInt8(count + 1)] }
        // The first byte says how many follow it, and has the lowest four bits.
        let extra = count + 2 < 1 << 12 ? 1 : count + 3 < 1 << 20 ? 2 : 3
        let total = count + 1 + extra
        precondition(total < 1 << 28, "a package of ACPI's machine language is below 256 MiB")
        let rest = (0..<extra).map { UInt8(truncatingIfNeeded: total >> (4 + 8 * $0)) }
        return [UInt8(extra << 6 | total & 0xF)] + rest
    }

    /// A name of any number of segments (§20.2.2).
    static func name(_ text: String) -> [UInt8] {
        let isRooted = text.hasPrefix("\\")
        let segments = text.drop { $0 == "\\" }.split(separator: ".").map(segment)
        precondition(!segments.isEmpty || isRooted, "an object of ACPI's has a name")
        let body: [UInt8] =
            switch segments.count {
            case 0: [0]
            case 1: segments[0]
            case 2: [0x2E] + segments[0] + segments[1]
            default: [0x2F, UInt8(segments.count)] + segments.flatMap { $0 }
            }
        return (isRooted ? [0x5C] : []) + body
    }

    private static func segment(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        precondition((1...4).contains(bytes.count), "a segment of a name has one to four characters")
        return bytes + [UInt8](repeating: UInt8(ascii: "_"), count: 4 - bytes.count)
    }

    /// A number in the shortest form (§20.2.3).
    static func integer(_ value: UInt64) -> [UInt8] {
        switch value {
        case 0, 1: [UInt8(value)]
        case ...0xFF: [0x0A, UInt8(value)]
        case ...0xFFFF: [0x0B] + LittleEndianWriter.bytes(UInt16(value))
        case ...0xFFFF_FFFF: [0x0C] + LittleEndianWriter.bytes(UInt32(value))
        default: [0x0E] + LittleEndianWriter.bytes(value)
        }
    }

    /// A compressed EISA identifier (§19.3.4): five bits a letter, four a digit, the first byte lowest.
    static func eisa(_ name: String) -> UInt32 {
        let bytes = Array(name.utf8)
        precondition(bytes.count == 7, "an EISA identifier has three letters and four digits")
        let letters = bytes.prefix(3).reduce(UInt32(0)) { $0 << 5 | UInt32($1 - 0x40) }
        let digits = UInt32(name.suffix(4), radix: 16) ?? 0
        return (letters << 16 | digits).byteSwapped
    }
}
