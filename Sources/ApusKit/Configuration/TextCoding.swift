// SPDX-License-Identifier: Apache-2.0

/// A value that is text wherever it is written: on the command line, at the monitor and in a file.
public protocol TextCoded: Codable, Sendable, CustomStringConvertible {
    /// What `text` says, or an error that says how it is written. Reads what `description` gives.
    init(parsing text: String) throws(VirtualMachineError)
}

extension TextCoded {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var text = encoder.singleValueContainer()
        try text.encode(description)
    }
}

/// One of a few things that have a name each, such as a platform.
public protocol NamedChoice: RawRepresentable<String>, CaseIterable, Sendable {
    /// What it is a choice of, for the sentence about a name that is none of them.
    static var noun: String { get }
}

extension NamedChoice {
    /// The one called `name`.
    public init(parsing name: String) throws(VirtualMachineError) {
        guard let found = Self(rawValue: name) else {
            throw .unknown(Self.noun, name, valid: Self.allCases.map(\.rawValue))
        }
        self = found
    }
}
