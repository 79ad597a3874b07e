// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// One `ecall` from S-mode: a7, a6 and a0 to a5 (RISC-V SBI 2.0 §3).
struct SBICall: Sendable {
    /// The hart that calls.
    let hart: Int
    let `extension`: UInt64
    let function: UInt64
    let arguments: InlineArray<6, UInt64>

    subscript(index: Int) -> UInt64 { arguments[index] }
}

/// Standard error codes (RISC-V SBI 2.0 §3, table 1).
enum SBIError: Int64, Sendable {
    case success = 0
    case failed = -1
    case notSupported = -2
    case invalidParameter = -3
    case denied = -4
    case invalidAddress = -5
    case alreadyAvailable = -6
    case alreadyStarted = -7
    case alreadyStopped = -8
    case noSharedMemory = -9
}

/// What becomes of the calling hart.
enum SBIOutcome: Equatable, Sendable {
    /// It goes on: the error in a0, the value in a1.
    case returns(SBIError, UInt64)
    /// It goes on from a legacy call: a0 alone.
    case legacy(UInt64)
    /// It goes on with success, and its supervisor timer fires at this tick.
    case timer(UInt64, legacy: Bool)
    /// It goes on from the legacy call that takes back its own pending software interrupt.
    case clearsSoftwareInterrupt
    /// It stops until another hart starts it.
    case stops
    /// It waits for an interrupt, then goes on: after the call, or at the entry.
    case suspends(SBIEntry?)
    /// The machine as a whole is asked for something; the hart does not return from this call.
    case machine(MachineRequest)
    /// The argument at this guest-virtual address is needed first: the legacy calls' hart mask, eight bytes there.
    case needsLegacyMask(UInt64)

    static var success: SBIOutcome { .returns(.success, 0) }

    static func error(_ error: SBIError) -> SBIOutcome { .returns(error, 0) }
}
