// SPDX-License-Identifier: Apache-2.0

/// Why a machine could not be made, started or kept running: one sentence with the value and the remedy.
public enum MachineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An option asks for what this machine does not have.
    case configuration(String)
    /// A kernel, firmware or initrd cannot be used: the file's name and what is wrong with it.
    case bootFile(name: String, reason: String)
    /// The host did not give what the machine needs.
    case host(String)
    /// The call does not fit the machine's state.
    case state(String)

    public var description: String {
        switch self {
        case .configuration(let text), .host(let text), .state(let text): text
        case .bootFile(let name, let reason): "'\(name)' \(reason)"
        }
    }
}
