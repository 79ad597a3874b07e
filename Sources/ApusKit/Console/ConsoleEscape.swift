// SPDX-License-Identifier: Apache-2.0

/// Picks the escapes out of what is typed at a raw terminal: `Ctrl-A` and a letter.
public struct ConsoleEscape: Sendable {
    /// What was typed, in order.
    public enum Input: Equatable, Sendable {
        /// Bytes for the guest.
        case guest([UInt8])
        /// `Ctrl-A X`: end the machine.
        case quit
        /// `Ctrl-A C`: to the monitor, or back.
        case monitor
        /// `Ctrl-A D`: leave the machine to itself.
        case detach
        /// `Ctrl-A H`, and any letter that means nothing: say what there is.
        case help
    }

    /// `Ctrl-A`.
    public static let prefix: UInt8 = 1
    /// What `Ctrl-A H` says.
    public static let helpText = """
        Ctrl-A X  end the machine
        Ctrl-A C  to the monitor, and back
        Ctrl-A D  detach, and leave the machine running
        Ctrl-A H  this help
        Ctrl-A Ctrl-A  send Ctrl-A to the guest

        """

    private var isAfterPrefix = false

    public init() {}

    /// Takes what was read from the terminal.
    public mutating func take(_ bytes: [UInt8]) -> [Input] {
        var inputs: [Input] = []
        var plain: [UInt8] = []
        for byte in bytes {
            if !isAfterPrefix {
                if byte == ConsoleEscape.prefix { isAfterPrefix = true } else { plain.append(byte) }
                continue
            }
            isAfterPrefix = false
            if byte == ConsoleEscape.prefix {
                plain.append(byte)
                continue
            }
            if !plain.isEmpty { inputs.append(.guest(plain)) }
            plain = []
            switch UnicodeScalar(byte) {
            case "x", "X": inputs.append(.quit)
            case "c", "C": inputs.append(.monitor)
            case "d", "D": inputs.append(.detach)
            default: inputs.append(.help)
            }
        }
        if !plain.isEmpty { inputs.append(.guest(plain)) }
        return inputs
    }
}
