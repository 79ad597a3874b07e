// SPDX-License-Identifier: Apache-2.0

/// What the x87 room executes: `MicroOp.detail`.
enum X87Operation: UInt16 {
    /// WAIT: takes a pending exception.
    case fwait
}
