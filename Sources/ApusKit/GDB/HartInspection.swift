// SPDX-License-Identifier: Apache-2.0

import Machines
import RISCV64

/// The harts of a riscv64 machine.
struct HartInspection: ProcessorInspection {
    private typealias Numbers = DebugRegisterSet.RISCV64

    let machine: VirtMachine

    var registers: DebugRegisterSet { .riscv64 }

    /// The integers, and the CSRs that say how a hart came where it is.
    var shownRegisters: [DebugRegister] {
        let traps: Set = [
            "sstatus", "stvec", "sepc", "scause", "stval", "satp", "mstatus", "mtvec", "mepc", "mcause", "mtval", "mie",
            "mip",
        ]
        let system = registers.features.flatMap(\.registers).filter { traps.contains($0.name) || $0.name == "priv" }
        return [registers.general[Numbers.programCounter]] + registers.general[..<Numbers.programCounter] + system
    }

    func register(_ number: Int, vcpu: Int) -> UInt64? {
        machine.withHart(vcpu) { hart -> UInt64? in
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

    func setRegister(_ number: Int, to value: UInt64, vcpu: Int) -> Bool {
        machine.withHart(vcpu) { hart in
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

    func readMemory(at address: UInt64, count: Int, vcpu: Int) -> [UInt8] {
        machine.withHart(vcpu) { $0.debugRead(virtual: address, count: count) ?? [] }
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, vcpu: Int) -> Bool {
        machine.withHart(vcpu) { $0.debugWrite(virtual: address, bytes: bytes) }
    }

    func setPoints(_ points: Set<DebugPoint>, vcpu: Int) {
        var debug = HartDebug()
        for point in points {
            switch point {
            case .breakpoint(let address): debug.breakpoints.insert(address)
            case .watchpoint(let address, let count, let kind):
                debug.watchpoints.insert(.init(address: address, count: count, kind: kind))
            }
        }
        machine.withHart(vcpu) { $0.debug = debug }
    }
}
