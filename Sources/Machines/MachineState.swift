// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// Where a machine is in its life.
public enum MachineState: String, Sendable {
    /// Made, and never started.
    case ready
    case running
    /// All vCPUs are out of their engines and all devices are quiet; virtual time stands.
    case paused
    /// Over: see `MachineEnd`. A machine does not start twice.
    case ended
}

/// How a machine's life ended, and by whose doing.
public enum MachineEnd: Equatable, Sendable {
    /// The guest switched off and gave this code; 0: all went well.
    case poweredOff(code: Int32)
    /// The guest's system crashed and `PanicAction.exit` was asked for; the text is what it said.
    case panicked(String)
    /// The guest asked for a reset and `ResetAction.exit` was asked for.
    case reset
    /// `stop()` was called.
    case stopped
    /// The host failed it.
    case failed(MachineError)
}

/// What happens to a machine whose guest says that it has crashed.
public enum PanicAction: String, CaseIterable, Sendable {
    /// The machine ends with `MachineEnd.panicked`.
    case exit
    /// It begins again from reset.
    case reboot
    /// It pauses, for a debugger to look.
    case pause
}

/// What happens to a machine whose guest asks for a reset.
public enum ResetAction: String, CaseIterable, Sendable {
    /// It begins again.
    case reboot
    /// The machine ends with `MachineEnd.reset`.
    case exit
}

/// What a machine tells its owner. Delivered on a thread of the machine's: the handler must not block, nor call
/// `pause()` or `stop()` itself.
public enum MachineEvent: Equatable, Sendable {
    /// The machine's state changed.
    case state(MachineState)
    /// The guest began again from reset, by its own doing or by `reset()`.
    case restarted
    /// The guest's system says that it has crashed; the text is the console's line, or names the device it told.
    case panicked(String)
    /// A hart stopped for the debugger; all harts are paused.
    case debugStop(hart: Int, DebugStop)
    /// The machine is over.
    case ended(MachineEnd)
}
