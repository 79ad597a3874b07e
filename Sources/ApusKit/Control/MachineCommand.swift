// SPDX-License-Identifier: Apache-2.0

/// What can be asked of a running machine: the one vocabulary of the monitor, of a debugger's `monitor` and of a
/// control socket. `VirtualMachine.perform(_:)` carries it out.
public enum MachineCommand: Equatable, Codable, Sendable {
    /// What the machine is and where it stands.
    case status
    /// What each vCPU is doing.
    case vcpus
    /// The registers of one vCPU, or of all.
    case registers(vcpu: Int?)
    /// The counters of vCPUs and devices.
    case statistics
    case pause
    case resume
    /// Begin again from reset, without asking the guest.
    case reset
    /// Ask the guest to switch itself off; end the machine at once where nobody in it can be asked.
    case powerOff
    /// Ask the guest to switch itself off, and end the machine where it is still there after so many seconds. Fails where
    /// nobody in it can be asked.
    case stop(graceSeconds: Int)
    /// Change what the guest gets, from now on.
    case set(settings: MachineSettings)
    /// End the machine at once.
    case quit
    /// What can be asked.
    case help

    /// How the monitor spells each command, and what it says of it.
    static let vocabulary: [(word: String, argument: String?, help: String)] = [
        ("status", nil, "what the machine is and where it stands"),
        ("vcpus", nil, "each vCPU's engine, ring, program counter and last exit"),
        ("registers", "[VCPU]", "the registers of one vCPU, or of all (the machine is paused meanwhile)"),
        ("stats", nil, "counters of vCPUs and devices"),
        ("pause", nil, "stop all vCPUs and virtual time"),
        ("continue", nil, "go on after a pause"),
        ("reset", nil, "begin again from reset, without asking the guest"),
        ("poweroff", nil, "ask the guest to switch off"),
        ("stop", "[SECONDS]", "ask the guest to switch off; end it if it has not after 10 seconds, or so many"),
        ("set", "NAME=VALUE", "change cpu-shares, cpu-cap, cpuset or memory from now on"),
        ("quit", nil, "end the machine at once"),
        ("help", nil, "this list"),
    ]

    /// A command as the monitor's user types it; a prefix that fits one word only stands for it.
    public init(parsing line: String) throws(VirtualMachineError) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        let word = words.first ?? ""
        let exact = MachineCommand.vocabulary.filter { $0.word == word }
        let fitting = exact.isEmpty ? MachineCommand.vocabulary.filter { $0.word.hasPrefix(word) } : exact
        guard let found = fitting.first, fitting.count == 1 else {
            throw .unknown("command", word, valid: MachineCommand.vocabulary.map(\.word))
        }
        guard words.count <= (found.argument == nil ? 1 : 2) else {
            throw VirtualMachineError(
                .configuration, "'\(found.word)' takes \(found.argument ?? "nothing"), not '\(words.last ?? "")'")
        }
        self = try MachineCommand.make(found.word, argument: words.count > 1 ? words[1] : nil)
    }

    private static func make(_ word: String, argument: String?) throws(VirtualMachineError) -> MachineCommand {
        switch word {
        case "status": return .status
        case "vcpus": return .vcpus
        case "stats": return .statistics
        case "pause": return .pause
        case "continue": return .resume
        case "reset": return .reset
        case "poweroff": return .powerOff
        case "quit": return .quit
        case "stop":
            guard let argument else { return .stop(graceSeconds: 10) }
            guard let seconds = Int(argument), seconds >= 0 else {
                throw VirtualMachineError(.configuration, "time '\(argument)' is not a whole number of seconds")
            }
            return .stop(graceSeconds: seconds)
        case "set": return .set(settings: try MachineSettings(parsing: argument ?? ""))
        case "registers":
            guard let argument else { return .registers(vcpu: nil) }
            guard let number = Int(argument), number >= 0 else {
                throw VirtualMachineError(.configuration, "vCPU '\(argument)' is not a number; they count from 0")
            }
            return .registers(vcpu: number)
        default: return .help
        }
    }
}
