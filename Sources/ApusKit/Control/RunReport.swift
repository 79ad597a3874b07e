// SPDX-License-Identifier: Apache-2.0

/// A run in figures, for a program: `apus run --json`.
public struct RunReport: Codable, Equatable, Sendable {
    /// `poweroff`, `panic`, `reset`, `quit`, `timeout`, `signal`, `kill`, `command` or `failure`.
    public var ended: String
    /// The exit status.
    public var code: Int32
    /// What the guest or the host said about it; nil where there is nothing to say.
    public var reason: String?
    public var platform: Platform
    public var engine: Engine
    /// Virtual time in seconds.
    public var seconds: Double
    public var statistics: StatisticsReport?

    /// How `machine` ended, with its last statistics, and its counters where they are wanted.
    public init(
        _ end: VirtualMachineEnd, of machine: VirtualMachine, statistics report: StatisticsReport?, hasCounters: Bool
    ) {
        ended = end.word
        code = end.exitStatus
        switch end.reason {
        case .panicked(let text), .failed(let text): reason = text
        default: reason = nil
        }
        platform = machine.configuration.platform
        engine = machine.engine
        seconds = Double((report?.virtualNanoseconds ?? 0) / 1_000_000) / 1000
        statistics = hasCounters ? report : nil
    }
}
