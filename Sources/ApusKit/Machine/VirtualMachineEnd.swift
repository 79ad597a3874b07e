// SPDX-License-Identifier: Apache-2.0

import Machines

/// Who ended a machine that its guest did not end.
public enum StopCause: Equatable, Sendable {
    /// `VirtualMachine.stop()`, the monitor's `quit`, `Ctrl-A X`.
    case caller
    /// A signal to the process.
    case signal(Int32)
    /// The configuration's timeout.
    case timeout
    /// A debugger's `kill`.
    case debugger
    /// The command that the machine was run for ended with this status.
    case command(status: Int32)
}

/// How a machine's life ended, and by whose doing.
public struct VirtualMachineEnd: Equatable, Codable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// The guest switched off with this code; 0: all went well.
        case poweredOff(code: Int32)
        /// The guest's system crashed, in these words.
        case panicked(String)
        /// The guest asked for a reset that was to end it.
        case reset
        case stopped(StopCause)
        /// The host failed the machine.
        case failed(String)
    }

    public var reason: Reason

    public init(reason: Reason) { self.reason = reason }

    init(_ end: MachineEnd, cause: StopCause?) {
        switch (end, cause) {
        case (.failed(let error), _): reason = .failed(error.description)
        // Asked to switch itself off, the guest does so with a code of its own: who asked is what counts.
        case (.stopped, let cause): reason = .stopped(cause ?? .caller)
        case (.poweredOff(code: 0), let cause?): reason = .stopped(cause)
        case (.poweredOff(let code), _): reason = .poweredOff(code: code)
        case (.panicked(let text), _): reason = .panicked(text)
        case (.reset, _): reason = .reset
        }
    }

    /// The status for a process that ran the machine: the guest's own, or docker's for what was not the guest's doing.
    public var exitStatus: Int32 {
        switch reason {
        case .poweredOff(let code), .stopped(.command(status: let code)): ExitStatus.byte(code)
        case .panicked: ExitStatus.panic
        case .reset, .stopped(.caller): 0
        case .stopped(.timeout): ExitStatus.timeout
        case .stopped(.signal(let number)): ExitStatus.signal + number
        case .stopped(.debugger): ExitStatus.signal + 9
        case .failed: ExitStatus.failure
        }
    }

    /// One word for programs: how it ended.
    public var word: String {
        switch reason {
        case .poweredOff: "poweroff"
        case .panicked: "panic"
        case .reset: "reset"
        case .stopped(.caller): "quit"
        case .stopped(.timeout): "timeout"
        case .stopped(.signal): "signal"
        case .stopped(.debugger): "kill"
        case .stopped(.command): "command"
        case .failed: "failure"
        }
    }
}

/// Exit statuses as docker has them, and one of ours.
public enum ExitStatus {
    /// The guest's system crashed.
    public static let panic: Int32 = 70
    public static let timeout: Int32 = 124
    /// Apus failed: bad options, a missing file, a host that refused.
    public static let failure: Int32 = 125
    /// The command in the guest is there and cannot be executed.
    public static let cannotInvoke: Int32 = 126
    /// The command in the guest is not there.
    public static let notFound: Int32 = 127
    /// Plus a signal's number.
    public static let signal: Int32 = 128

    /// What a process can return of a guest's code: its low eight bits, but never 0 for what is not 0.
    public static func byte(_ code: Int32) -> Int32 { code != 0 && code & 0xFF == 0 ? 1 : code & 0xFF }
}
