// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Machines

/// The vCPUs of a machine of some platform, as debuggers and monitors look at them. The machine stands.
protocol ProcessorInspection: Sendable {
    /// The registers of a vCPU and how a debugger is told of them.
    var registers: DebugRegisterSet { get }
    /// What the monitor's `registers` shows.
    var shownRegisters: [DebugRegister] { get }
    /// A register by GDB's number, or nil where there is none.
    func register(_ number: Int, vcpu: Int) -> UInt64?
    /// Sets a register; false where there is none or it cannot be set.
    func setRegister(_ number: Int, to value: UInt64, vcpu: Int) -> Bool
    /// See `DebugTarget`.
    func readMemory(at address: UInt64, count: Int, vcpu: Int) -> [UInt8]
    func writeMemory(_ bytes: [UInt8], at address: UInt64, vcpu: Int) -> Bool
    /// Sets what stops a vCPU, in place of what stopped it before.
    func setPoints(_ points: Set<DebugPoint>, vcpu: Int)
}
