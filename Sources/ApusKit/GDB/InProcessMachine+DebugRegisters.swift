// SPDX-License-Identifier: Apache-2.0

import Machines
import RISCV64

extension InProcessMachine {
    private typealias Numbers = DebugRegisterSet.RISCV64

    /// A hart's register by GDB's number, or nil where there is none. The machine stands.
    func debugRegister(_ number: Int, hart: Int) -> UInt64? {
        machine.withHart(hart) { hart -> UInt64? in
            switch number {
            case 0..<Numbers.programCounter: hart[x: number]
            case Numbers.programCounter: hart.pc
            case Numbers.floating..<Numbers.csr: hart[f: number - Numbers.floating]
            case Numbers.csr..<Numbers.privilege: hart.csr(number - Numbers.csr)
            case Numbers.privilege: hart.privilege.rawValue
            default: nil
            }
        }
    }

    /// Sets a hart's register by GDB's number; false where there is none or it cannot be set. The machine stands.
    func setDebugRegister(_ number: Int, to value: UInt64, hart: Int) -> Bool {
        machine.withHart(hart) { hart in
            switch number {
            case 0..<Numbers.programCounter: hart[x: number] = value
            case Numbers.programCounter: hart.pc = value
            case Numbers.floating..<Numbers.csr: hart[f: number - Numbers.floating] = value
            case Numbers.csr..<Numbers.privilege: return hart.setCSR(number - Numbers.csr, value)
            default: return false
            }
            return true
        }
    }

    /// What the monitor's `registers` shows: the integers, and the CSRs that say how a hart came where it is.
    var monitorRegisters: [DebugRegister] {
        let all = DebugRegisterSet.riscv64
        let traps: Set = [
            "sstatus", "stvec", "sepc", "scause", "stval", "satp", "mstatus", "mtvec", "mepc", "mcause", "mtval", "mie",
            "mip",
        ]
        let system = all.features.flatMap(\.registers).filter { traps.contains($0.name) || $0.name == "priv" }
        return [all.general[Numbers.programCounter]] + all.general[..<Numbers.programCounter] + system
    }

    /// Runs `body` while no vCPU executes, and lets them go on unless someone else holds them.
    func whilePaused<T>(_ body: () -> T) -> T {
        guard state == .running else { return body() }
        machine.pause()
        defer { release([]) }
        return body()
    }
}
