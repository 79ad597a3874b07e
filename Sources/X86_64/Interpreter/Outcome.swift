// SPDX-License-Identifier: Apache-2.0

/// What an outlined instruction leaves for the interpreter's loop to do.
enum Outcome {
    /// Go on behind the instruction.
    case next
    /// The instruction pointer was set: fetch there. Also after a change of what fetches depend on.
    case jump
    /// As `jump`, after a look at interrupts and the mailbox.
    case look
    /// Leave the engine with `Processor.leaving`, the instruction pointer set.
    case leave
    /// `Processor.fault` is to be delivered at the instruction, whose address is in the state.
    case fault
}
