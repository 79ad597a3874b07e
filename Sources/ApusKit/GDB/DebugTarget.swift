// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What a debugger's protocol drives: the vCPUs of one machine, all stopped whenever it looks at them.
///
/// Threads are numbered from 0, one a vCPU. Everything but `interrupt` is called while the target is stopped, on the
/// protocol's own thread. After `resume`, or `interrupt`, the target reports one `DebugEvent` to whoever serves it.
package protocol DebugTarget: AnyObject, Sendable {
    /// The registers of a vCPU and how a debugger is told of them.
    var registers: DebugRegisterSet { get }
    /// How many vCPUs there are; at least one.
    var threadCount: Int { get }
    /// The register's value, or nil where the vCPU has no such register. Narrower registers are zero-extended.
    func register(_ number: Int, thread: Int) -> UInt64?
    /// Sets a register; false where there is none or it may not be written.
    func setRegister(_ number: Int, to value: UInt64, thread: Int) -> Bool
    /// Up to `count` bytes from a guest-virtual address as `thread` sees it: those before the first that is not mapped
    /// RAM; empty where the first is not.
    func readMemory(at address: UInt64, count: Int, thread: Int) -> [UInt8]
    /// Writes at a guest-virtual address, the pages' protection aside; false where it is not all mapped RAM.
    func writeMemory(_ bytes: [UInt8], at address: UInt64, thread: Int) -> Bool
    /// Sets a breakpoint or watchpoint on all threads; setting one twice changes nothing. False: no more room.
    func insert(_ point: DebugPoint) -> Bool
    /// Takes a breakpoint or watchpoint away; one that is not there is no error.
    func remove(_ point: DebugPoint)
    /// Takes all of them away.
    func removeAllPoints()
    /// Lets each thread do what `actions` says, one entry a thread.
    func resume(_ actions: [DebugAction])
    /// Asks a running target to stop.
    func interrupt()
    /// A line about a thread for `info threads`.
    func describe(thread: Int) -> String
    /// Runs a monitor command, and answers with its text.
    func monitor(_ line: String) -> String
    /// The debugger ends the machine.
    func kill()
    /// The debugger goes away; the target runs on without it.
    func detach()
}

/// What a thread does when the target is resumed.
package enum DebugAction: Equatable, Sendable {
    /// Nothing: it stays where it is while others run.
    case stay
    case run
    /// One instruction.
    case step
}

/// A place or a range at which threads stop.
package enum DebugPoint: Hashable, Sendable {
    /// Before the instruction at a guest-virtual address.
    case breakpoint(UInt64)
    /// After an access to `count` bytes from a guest-virtual address.
    case watchpoint(UInt64, count: UInt64, kind: WatchKind)
}

/// What a target tells its debugger.
package enum DebugEvent: Equatable, Sendable {
    /// All threads stand still because of one of them.
    case stopped(thread: Int, DebugStop)
    /// All threads stand still because someone asked for it.
    case interrupted(thread: Int)
    /// The guest's system reports a crash; all threads stand still.
    case panicked(thread: Int)
    /// The machine is gone, with this exit code.
    case ended(code: UInt8)
}
