// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// Why an engine stopped executing a vCPU and gave control back to the VMM. Exits are values: the guest has done
/// something, or someone asked; nothing failed.
public enum VMExit: Equatable, Sendable {
    /// The mailbox asked for it: a pause, a stop, a change of state from another thread.
    case requested
    /// The vCPU waits for an interrupt (`wfi`, `hlt`): its thread may sleep until the mailbox has news.
    case halt
    /// The vCPU spins on something that another must change: its thread yields the host's core, then goes on.
    case yield
    /// The guest called what lies below it (`ecall` to the built-in SBI, `vmcall`): its registers say what.
    case hypercall
    /// A debugger's stop: a breakpoint, a watchpoint, or the end of a single step.
    case debug(DebugStop)
    /// The guest's memory or device asked the machine for something (the finisher, `tohost`).
    case request(MachineRequest)
}

/// What stopped a vCPU for a debugger.
public enum DebugStop: Equatable, Sendable {
    /// The breakpoint at the program counter, before its instruction.
    case breakpoint
    /// The end of a single step.
    case step
    /// A watched access at this guest-virtual address, after it was made.
    case watchpoint(UInt64, WatchKind)
}

/// Which accesses a watchpoint stops at.
public enum WatchKind: Equatable, Sendable { case read, write, access }

/// What a device, a guest or a user asks of the whole machine.
public enum MachineRequest: Equatable, Sendable {
    /// End the VM; the guest gives this code (0: all went well).
    case powerOff(code: Int32)
    /// Begin again from the reset state.
    case reset
    /// The guest's system says it has crashed.
    case panic
}
