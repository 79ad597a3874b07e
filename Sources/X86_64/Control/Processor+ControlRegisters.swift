// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// MOV to and from control and debug registers, SMSW, LMSW, CLTS, XGETBV, XSETBV.
    func executeControl(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .smsw:
            guard !hidesTables else { return raise(.generalProtection) }
            guard op.attributes.isMemory else {
                setRegister(op.b, op.attributes.width, state.pointee.cr0)
                return advance(op, .jump)
            }
            return storeWord(op, state.pointee.cr0)
        case .lmsw:
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            guard let word = wordOperand(op) else { return .fault }
            // PE can be set and not cleared (Intel SDM Vol 2A "LMSW").
            let cr0 = state.pointee.cr0 & ~0xe | UInt64(word) & 0xf
            return setCR0(cr0) ? advance(op, .look) : .fault
        case .clts:
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            state.pointee.cr0 &= ~CR0.ts
            contextChanged()
            return advance(op, .jump)
        case .xgetbv, .xsetbv: return executeExtendedControl(operation, op)
        case .movFromDebug, .movToDebug: return executeDebug(operation, op)
        default: break
        }
        switch op.a {
        case 0, 2, 3, 4, 8: break
        default: return raise(.invalidOpcode)
        }
        guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
        let width: OperandWidth = state.pointee.is64Bit ? .quad : .double
        guard operation == .movToControl else {
            setRegister(op.b, width, controlRegister(op.a))
            return advance(op, .jump)
        }
        return setControlRegister(op.a, register(op.b, width)) ? advance(op, .look) : .fault
    }

    private func controlRegister(_ number: UInt8) -> UInt64 {
        switch number {
        case 0: state.pointee.cr0
        case 2: state.pointee.cr2
        case 3: state.pointee.cr3
        case 4: state.pointee.cr4
        default: UInt64(door.taskPriority() & 15)
        }
    }

    private func setControlRegister(_ number: UInt8, _ value: UInt64) -> Bool {
        switch number {
        case 0: return setCR0(value)
        case 2:
            state.pointee.cr2 = value
            return true
        case 3: return setCR3(value)
        case 4: return setCR4(value)
        default:
            guard value < 16 else { return refuseValue() }
            door.setTaskPriority(UInt8(value))
            return true
        }
    }

    /// #GP(0), for a value that a register cannot have.
    func refuseValue() -> Bool {
        fault = .generalProtection
        return false
    }

    /// Loads CR0 with all checks (Intel SDM Vol 2B "MOV—Move to/from Control Registers"). False: #GP raised.
    func setCR0(_ value: UInt64) -> Bool {
        let old = state.pointee.cr0
        guard value >> 32 == 0 else { return refuseValue() }
        let next = value & CR0.defined | CR0.et
        if next & CR0.pg != 0 && next & CR0.pe == 0 { return refuseValue() }
        if next & CR0.nw != 0 && next & CR0.cd == 0 { return refuseValue() }
        let turnsOn = next & ~old & CR0.pg != 0
        if turnsOn {
            if state.pointee.efer & EFER.lme != 0 {
                let isBusy16 = state.pointee.tr.rights.type & 8 == 0
                guard state.pointee.cr4 & CR4.pae != 0, !state.pointee.segments[1].rights.contains(.long), !isBusy16
                else { return refuseValue() }
            } else if state.pointee.cr4 & CR4.pae != 0 {
                guard checkPointers(state.pointee.cr3) else { return false }
            }
        }
        if old & ~next & CR0.pg != 0 {
            if state.pointee.is64Bit || state.pointee.cr4 & CR4.pcide != 0 { return refuseValue() }
        }
        state.pointee.cr0 = next
        if (next ^ old) & CR0.pg != 0 {
            let isLong = next & CR0.pg != 0 && state.pointee.efer & EFER.lme != 0
            state.pointee.efer = state.pointee.efer & ~EFER.lma | (isLong ? EFER.lma : 0)
        }
        if (next ^ old) & (CR0.pg | CR0.wp | CR0.pe) != 0 { tlb.flush() }
        contextChanged()
        return true
    }

    /// Loads CR3. Bit 63 keeps what is cached of the new context, where PCIDs are on (Intel SDM Vol 3A §5.10.4.1).
    func setCR3(_ value: UInt64) -> Bool {
        var next = value
        var keeps = false
        if state.pointee.efer & EFER.lma != 0 {
            if state.pointee.cr4 & CR4.pcide != 0 {
                keeps = value >> 63 != 0
                next &= ~(1 << 63)
            }
            guard next >> UInt64(configuration.model.physicalAddressBits) == 0 else { return refuseValue() }
        } else {
            next &= 0xffff_ffff
            if state.pointee.cr0 & CR0.pg != 0 && state.pointee.cr4 & CR4.pae != 0 {
                guard checkPointers(next) else { return false }
            }
        }
        state.pointee.cr3 = next
        if state.pointee.cr4 & CR4.pcide != 0 { tlb.enter(next & 0xfff, keeps: keeps) } else { tlb.flush() }
        contextChanged()
        return true
    }

    /// The page-directory pointers of PAE paging, which a load of CR3 looks at: reserved bits are #GP (Intel SDM Vol 3A
    /// §5.4.1). AMD's processors look when they walk.
    private func checkPointers(_ cr3: UInt64) -> Bool {
        let reserved: UInt64 = ~((1 << UInt64(configuration.model.physicalAddressBits)) - 1) | 0x1e6
        for index: UInt64 in 0..<4 {
            let entry = readPhysical((cr3 & 0xffff_ffe0) + index * 8, 8)
            state.pointee.pdptes[Int(index)] = entry
            if configuration.model.vendor == .intel, entry & 1 != 0, entry & reserved != 0 { return refuseValue() }
        }
        return true
    }

    /// The bits that CR4 can have with this model.
    var possibleCR4: UInt64 {
        let model = configuration.model
        let rows: [(UInt64, Feature)] = [
            (CR4.vme | CR4.pvi, .vme), (CR4.tsd, .tsc), (CR4.de, .de), (CR4.pse, .pse), (CR4.pae, .pae),
            (CR4.mce, .mce), (CR4.pge, .pge), (CR4.osfxsr | CR4.osxmmexcpt, .fxsr), (CR4.umip, .umip),
            (CR4.la57, .la57), (CR4.fsgsbase, .fsgsbase), (CR4.pcide, .pcid), (CR4.osxsave, .xsave),
            (CR4.smep, .smep), (CR4.smap, .smap), (CR4.pke, .pku), (CR4.pks, .pks),
        ]
        return rows.reduce(CR4.pce) { model.has($1.1) ? $0 | $1.0 : $0 }
    }

    /// Loads CR4 with all checks. False: #GP raised.
    func setCR4(_ value: UInt64) -> Bool {
        let old = state.pointee.cr4
        guard value & ~possibleCR4 == 0 else { return refuseValue() }
        let changed = value ^ old
        let isLong = state.pointee.efer & EFER.lma != 0
        if isLong && (value & CR4.pae == 0 || changed & CR4.la57 != 0) { return refuseValue() }
        if changed & value & CR4.pcide != 0 {
            guard isLong, state.pointee.cr3 & 0xfff == 0 else { return refuseValue() }
        }
        let paging = CR4.pge | CR4.pae | CR4.pse | CR4.la57 | CR4.pcide | CR4.smep | CR4.smap | CR4.pke | CR4.pks
        if !isLong, state.pointee.cr0 & CR0.pg != 0, value & CR4.pae != 0,
            changed & (CR4.pae | CR4.pge | CR4.pse | CR4.smep) != 0
        {
            guard checkPointers(state.pointee.cr3) else { return false }
        }
        state.pointee.cr4 = value
        if changed & paging != 0 { tlb.flush() }
        contextChanged()
        return true
    }

    // MARK: XCR0 (Intel SDM Vol 2C "XSETBV", Vol 1 §13.3)

    private func executeExtendedControl(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        guard state.pointee.cr4 & CR4.osxsave != 0 else { return raise(.invalidOpcode) }
        let number = state.r32(1)
        if operation == .xgetbv {
            // Register 1 is XCR0 without what is in its initial state.
            guard number == 0 || (number == 1 && configuration.model.has(.xgetbv1)) else {
                return raise(.generalProtection)
            }
            setPair(number == 0 ? state.pointee.xcr0 : state.pointee.xcr0 & stateComponentsInUse)
            return advance(op, .jump)
        }
        let value = pair
        guard state.pointee.privilege == 0, number == 0, value & ~configuration.model.supportedXCR0 == 0,
            value & 1 != 0,
            value & 6 != 4
        else { return raise(.generalProtection) }
        state.pointee.xcr0 = value
        contextChanged()
        return advance(op, .look)
    }

    /// EDX:EAX.
    var pair: UInt64 { UInt64(state.r32(0)) | UInt64(state.r32(2)) << 32 }

    /// Sets EDX:EAX, clearing the upper halves.
    func setPair(_ value: UInt64) {
        state.setR32(0, UInt32(truncatingIfNeeded: value))
        state.setR32(2, UInt32(truncatingIfNeeded: value >> 32))
    }

    // MARK: Debug registers (Intel SDM Vol 3B §19.2)

    private func executeDebug(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        var number = op.a
        guard number < 8 else { return raise(.invalidOpcode) }
        if number == 4 || number == 5 {
            guard state.pointee.cr4 & CR4.de == 0 else { return raise(.invalidOpcode) }
            number += 2
        }
        guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
        if state.pointee.dr7 & 1 << 13 != 0 { return raise(Fault(.debug, address: 1 << 13)) }
        let width: OperandWidth = state.pointee.is64Bit ? .quad : .double
        guard operation == .movToDebug else {
            let value =
                number == 6
                ? state.pointee.dr6 : number == 7 ? state.pointee.dr7 : state.pointee.debugAddresses[Int(number)]
            setRegister(op.b, width, value)
            return advance(op, .jump)
        }
        let value = register(op.b, width)
        if number >= 6 && value >> 32 != 0 { return raise(.generalProtection) }
        setDebugRegister(Int(number), value)
        return advance(op, .look)
    }

    /// Loads DR0 to DR3, DR6 or DR7: bits that are fixed stay so.
    func setDebugRegister(_ number: Int, _ value: UInt64) {
        switch number {
        case 6: state.pointee.dr6 = value & 0xe00f | 0xffff_0ff0
        case 7: state.pointee.dr7 = value & 0xffff_23ff | 0x400
        default: state.pointee.debugAddresses[number & 3] = value
        }
        // Pages with breakpoints are kept out of the soft TLB.
        tlb.flush()
        contextChanged()
    }
}

extension CR0 {
    /// The bits that there are; writes leave out the others.
    static var defined: UInt64 { pe | mp | em | ts | et | ne | wp | am | nw | cd | pg }
}
