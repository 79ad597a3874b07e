// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Machines
import X86_64

/// The processors of an x86-64 machine.
struct PCInspection: ProcessorInspection {
    private typealias Numbers = DebugRegisterSet.X8664

    let machine: PCMachine

    /// The general registers' numbers in the instruction set, in GDB's order.
    private static let general = [0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15]
    /// The segment registers in GDB's order.
    private static let segments: [Segment] = [.cs, .ss, .ds, .es, .fs, .gs]

    var registers: DebugRegisterSet { .x86_64 }

    /// All but floating point.
    var shownRegisters: [DebugRegister] {
        let all = registers.features.flatMap(\.registers).filter {
            !(Numbers.x87..<Numbers.fsBase).contains($0.number)
        }
        return [registers.general[Numbers.programCounter]] + all.filter { $0.number != Numbers.programCounter }
    }

    func register(_ number: Int, vcpu: Int) -> UInt64? {
        machine.withProcessor(vcpu) { processor -> UInt64? in
            switch number {
            case 0..<Numbers.programCounter: processor[general: Self.general[number]]
            case Numbers.programCounter: processor.rip
            case Numbers.flags: processor.rflags
            case Numbers.segments..<Numbers.x87:
                UInt64(
                    processor.registers.segments[Int(Self.segments[number - Numbers.segments].rawValue)].selector)
            case Numbers.x87Control..<Numbers.fsBase: Self.x87(number - Numbers.x87Control, processor)
            case Numbers.fsBase: processor.registers.segments[Int(Segment.fs.rawValue)].base
            case Numbers.gsBase: processor.registers.segments[Int(Segment.gs.rawValue)].base
            default: Self.system(number - Numbers.system, processor)
            }
        }
    }

    private static func x87(_ index: Int, _ processor: Processor) -> UInt64 {
        switch index {
        case 0: UInt64(processor.registers.x87Control)
        case 1: UInt64(processor.registers.x87Status)
        case 2: UInt64(processor.registers.x87Tags)
        case 3: UInt64(processor.registers.x87InstructionSelector)
        case 4: processor.registers.x87Instruction & 0xFFFF_FFFF
        case 5: UInt64(processor.registers.x87OperandSelector)
        case 6: processor.registers.x87Operand & 0xFFFF_FFFF
        default: UInt64(processor.registers.x87Opcode)
        }
    }

    private static func system(_ index: Int, _ processor: Processor) -> UInt64? {
        switch index {
        case 0: processor.registers.cr0
        case 1: processor.registers.cr2
        case 2: processor.registers.cr3
        case 3: processor.registers.cr4
        case 4: UInt64(processor.door.taskPriority())
        case 5: processor.registers.efer
        case 6: processor.registers.privilege
        default: nil
        }
    }

    /// General registers, instruction pointer, flags, and the bases of fs and gs; a selector cannot be set without its
    /// descriptor.
    func setRegister(_ number: Int, to value: UInt64, vcpu: Int) -> Bool {
        machine.withProcessor(vcpu) { processor in
            switch number {
            case 0..<Numbers.programCounter: processor[general: Self.general[number]] = value
            case Numbers.programCounter: processor.rip = value
            case Numbers.flags: processor.rflags = value & 0x3F_7FD5 | 2
            case Numbers.fsBase: processor.registers.segments[Int(Segment.fs.rawValue)].base = value
            case Numbers.gsBase: processor.registers.segments[Int(Segment.gs.rawValue)].base = value
            default: return false
            }
            processor.stateChanged()
            return true
        }
    }

    func readMemory(at address: UInt64, count: Int, vcpu: Int) -> [UInt8] {
        machine.withProcessor(vcpu) { $0.debugRead(linear: address, count: count) ?? [] }
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, vcpu: Int) -> Bool {
        machine.withProcessor(vcpu) { $0.debugWrite(linear: address, bytes: bytes) }
    }

    func setPoints(_ points: Set<DebugPoint>, vcpu: Int) {
        var debug = ProcessorDebug()
        for point in points {
            switch point {
            case .breakpoint(let address): debug.breakpoints.insert(address)
            case .watchpoint(let address, let count, let kind):
                debug.watchpoints.insert(.init(address: address, count: count, kind: kind))
            }
        }
        machine.withProcessor(vcpu) { $0.debug = debug }
    }
}
