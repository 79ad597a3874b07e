// SPDX-License-Identifier: Apache-2.0

/// What came of a `MachineCommand`: values for a program, `text` for a person.
public enum MachineReply: Equatable, Sendable {
    /// Done; there is nothing to tell but this sentence.
    case done(String)
    /// Not done, and why.
    case failed(String)
    case status(MachineStatus)
    case vcpus([VCPUSummary])
    case registers([VCPURegisters])
    case statistics(StatisticsReport)
    case help([CommandHelp])

    /// For a terminal: lines, each ended.
    public var text: String {
        switch self {
        case .done(let sentence): sentence + "\n"
        case .failed(let sentence): "error: \(sentence)\n"
        case .status(let status): status.text
        case .vcpus(let summaries): VCPUSummary.table(summaries)
        case .registers(let sets): sets.map(\.text).joined(separator: "\n")
        case .statistics(let report): report.text
        case .help(let lines): TextTable(lines.map { [$0.usage, $0.meaning] }).text
        }
    }
}

/// One line of the monitor's help.
public struct CommandHelp: Equatable, Codable, Sendable {
    public var usage: String
    public var meaning: String

    static let all = MachineCommand.vocabulary.map { entry in
        CommandHelp(
            usage: entry.argument.map { "\(entry.word) \($0)" } ?? entry.word, meaning: entry.help)
    }
}

/// What a machine is and where it stands.
public struct MachineStatus: Equatable, Codable, Sendable {
    public var state: VirtualMachine.State
    public var platform: Platform
    /// The engine that runs, not what was asked for.
    public var engine: Engine
    public var cpuCount: Int
    public var memory: MemoryReport
    /// Virtual time since it was switched on.
    public var virtualNanoseconds: UInt64
    /// Instructions retired by all vCPUs.
    public var instructions: UInt64
    public var resets: Int

    var text: String {
        TextTable(
            [
                ["state", state.rawValue],
                ["platform", platform.rawValue],
                ["engine", engine.rawValue],
                ["vCPUs", "\(cpuCount)"],
            ] + memory.rows + [
                ["virtual time", TextTable.seconds(virtualNanoseconds)],
                ["instructions", TextTable.grouped(instructions)],
                ["resets", "\(resets)"],
            ]
        ).text
    }
}

/// What one vCPU is doing.
public struct VCPUSummary: Equatable, Codable, Sendable {
    public var id: Int
    public var engine: String
    /// As the architecture's manual calls it: `M`, `S`, `U`.
    public var ring: String
    public var programCounter: UInt64
    /// `running`, `halted`, `offline` or `paused`.
    public var activity: String
    /// Why the engine stopped last; nil before the first exit.
    public var lastExit: String?
    public var instructions: UInt64

    static func table(_ summaries: [VCPUSummary]) -> String {
        TextTable(
            summaries.map { summary in
                [
                    "\(summary.id)", summary.activity, summary.ring, TextTable.hex(summary.programCounter),
                    summary.lastExit ?? "-", TextTable.grouped(summary.instructions), summary.engine,
                ]
            }, header: ["vCPU", "state", "ring", "pc", "last exit", "instructions", "engine"]
        ).text
    }

    /// One line, for a signal handler's report.
    public var line: String {
        "vcpu \(id): pc \(TextTable.hex(programCounter)), ring \(ring), \(activity), last exit \(lastExit ?? "none")"
    }
}

/// The registers of one vCPU.
public struct VCPURegisters: Equatable, Codable, Sendable {
    public struct Register: Equatable, Codable, Sendable {
        public var name: String
        public var value: UInt64
    }

    public var id: Int
    public var registers: [Register]

    var text: String {
        var rows: [[String]] = []
        for start in stride(from: 0, to: registers.count, by: 4) {
            rows.append(
                registers[start..<min(start + 4, registers.count)].flatMap { [$0.name, TextTable.hex($0.value)] })
        }
        return "vcpu \(id)\n" + TextTable(rows).text
    }
}
