// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The states of a hart (RISC-V SBI 2.0 §9, table 19).
enum SBIHartState: UInt64, Sendable {
    case started = 0
    case stopped = 1
    case startPending = 2
    case stopPending = 3
    case suspended = 4
    case suspendPending = 5
    case resumePending = 6
}

/// Where a hart goes on in S-mode: a1 is `opaque`, a0 its own number.
struct SBIEntry: Equatable, Sendable {
    let address: UInt64
    let opaque: UInt64
}

/// What the SBI needs of the machine around it. Harts are numbered from 0 without gaps.
protocol SBIPlatform: AnyObject, Sendable {
    var hartCount: Int { get }
    var memory: GuestMemory { get }

    /// The state of hart `id`, less than `hartCount`.
    func hartState(_ id: Int) -> SBIHartState
    /// Starts hart `id` at `entry`; false where it is not stopped.
    func startHart(_ id: Int, at entry: SBIEntry) -> Bool
    /// Makes the supervisor software interrupt of hart `id` pending.
    func sendSoftwareInterrupt(to id: Int)
    /// Makes every hart of `mask` take `requests`; returns when none of them can execute with what it knew before.
    func fence(harts mask: UInt64, _ requests: Mailbox.Requests, from caller: Int)
    /// Writes to the system's console; answers how many bytes it took. Never blocks.
    func writeConsole(_ bytes: [UInt8]) -> Int
    /// Up to `count` bytes that the console has for the guest.
    func readConsole(_ count: Int) -> [UInt8]
}
