// SPDX-License-Identifier: Apache-2.0

/// Why a virtual machine could not be described, made or kept running: one sentence with the value and the remedy.
public struct VirtualMachineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Kind: String, Sendable {
        /// The configuration asks for something that does not exist or does not fit together.
        case configuration
        /// A file, port or device of the host cannot be used.
        case host
        /// The call does not fit the machine's state.
        case state
        /// The guest, or the agent in it, did not do what was asked.
        case guest
    }

    public let kind: Kind
    public let description: String

    /// An error of this kind that says `description`.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// The sentence for a word that is none of `valid`.
    static func unknown(_ what: String, _ value: String, valid: some Sequence<String>) -> VirtualMachineError {
        VirtualMachineError(
            .configuration, "\(what) '\(value)' is not known; valid are \(valid.joined(separator: ", "))")
    }

    /// A machine's process, whose protocol is ours, replied with what belongs to another request.
    static let misunderstood = VirtualMachineError(
        .host, "the machine's process gave an answer to another question")
}
