// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// CR4.UMIP keeps user code from reading where tables are (Intel SDM Vol 3A §2.5).
    var hidesTables: Bool { state.pointee.cr4 & CR4.umip != 0 && state.pointee.privilege > 0 }

    /// SGDT, SIDT, LGDT, LIDT, SLDT, STR, LLDT, LTR.
    func executeTables(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .sgdt, .sidt:
            guard op.attributes.isMemory else { return raise(.invalidOpcode) }
            guard !hidesTables else { return raise(.generalProtection) }
            return storeTable(operation == .sgdt ? state.pointee.gdtr : state.pointee.idtr, op)
        case .lgdt, .lidt:
            guard op.attributes.isMemory else { return raise(.invalidOpcode) }
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            guard let table = loadTableOperand(op) else { return .fault }
            if operation == .lgdt { state.pointee.gdtr = table } else { state.pointee.idtr = table }
            return advance(op, .jump)
        case .sldt, .str:
            guard usesDescriptors else { return raise(.invalidOpcode) }
            guard !hidesTables else { return raise(.generalProtection) }
            return storeWord(op, UInt64(operation == .sldt ? state.pointee.ldtr.selector : state.pointee.tr.selector))
        default:
            guard usesDescriptors else { return raise(.invalidOpcode) }
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            guard let selector = wordOperand(op) else { return .fault }
            let done = operation == .lldt ? loadLocalTable(selector) : loadTaskRegister(selector)
            return done ? advance(op, .jump) : .fault
        }
    }

    private func storeTable(_ table: TableRegister, _ op: MicroOp) -> Outcome {
        let isWide = op.attributes.mode == .long64
        guard let place = address(op, count: isWide ? 10 : 6, writes: true) else { return .fault }
        let stack = op.segment.isStack
        // Both parts may be written before either is.
        guard canStore(place, isWide ? 10 : 6, stack: stack),
            store(UInt16(truncatingIfNeeded: table.limit), at: place, stack: stack)
        else { return .fault }
        let base = wrapped(place &+ 2)
        let done =
            isWide
            ? store(table.base, at: base, stack: stack)
            : store(UInt32(truncatingIfNeeded: table.base), at: base, stack: stack)
        return done ? advance(op, .jump) : .fault
    }

    /// Whether `count` bytes at `address` can be written; false: raised.
    private func canStore(_ address: UInt64, _ count: UInt64, stack: Bool) -> Bool {
        loadForUpdate(UInt8.self, at: address, stack: stack) != nil
            && loadForUpdate(UInt8.self, at: wrapped(address &+ (count - 1)), stack: stack) != nil
    }

    private func loadTableOperand(_ op: MicroOp) -> TableRegister? {
        let isWide = op.attributes.mode == .long64
        guard let place = address(op, count: isWide ? 10 : 6),
            let limit = load(UInt16.self, at: place, stack: op.segment.isStack),
            let base = load(isWide ? .quad : .double, at: wrapped(place &+ 2), stack: op.segment.isStack)
        else { return nil }
        guard !isWide || isCanonical(base) else { return refuse(.generalProtection) }
        // A 16-bit operand size takes 24 bits of base.
        let is16Bit = !isWide && op.attributes.width == .word
        return TableRegister(base: is16Bit ? base & 0xff_ffff : base, limit: UInt32(limit))
    }

    private func loadLocalTable(_ selector: UInt16) -> Bool {
        guard !selector.isNullSelector else {
            state.pointee.ldtr = SegmentRegister(rights: .unusable, selector: selector)
            return true
        }
        let error = Fault(.generalProtection, code: selector.selectorCode)
        guard selector & 4 == 0 else { return raise(error) == .next }
        guard let descriptor = descriptor(selector) else { return false }
        guard !descriptor.isCodeOrData, descriptor.type == Descriptor.SystemType.ldt else {
            return raise(error) == .next
        }
        guard descriptor.isPresent else {
            return raise(Fault(.segmentNotPresent, code: selector.selectorCode)) == .next
        }
        guard let base = wideBase(selector, descriptor) else { return false }
        var register = descriptor.segment(selector: selector)
        register.base = base
        state.pointee.ldtr = register
        return true
    }

    private func loadTaskRegister(_ selector: UInt16) -> Bool {
        let error = Fault(.generalProtection, code: selector.selectorCode)
        guard !selector.isNullSelector else { return raise(.generalProtection) == .next }
        guard selector & 4 == 0 else { return raise(error) == .next }
        guard let descriptor = descriptor(selector) else { return false }
        let isTask =
            descriptor.type == Descriptor.SystemType.availableTSS
            || (descriptor.type == Descriptor.SystemType.availableTSS16 && !isLongMode)
        guard !descriptor.isCodeOrData, isTask else { return raise(error) == .next }
        guard descriptor.isPresent else {
            return raise(Fault(.segmentNotPresent, code: selector.selectorCode)) == .next
        }
        guard let base = wideBase(selector, descriptor), updateType(selector, set: 2) else { return false }
        var register = Descriptor(descriptor.bits | 2 << 40).segment(selector: selector)
        register.base = base
        state.pointee.tr = register
        return true
    }

    // MARK: VERR, VERW, LAR, LSL, ARPL

    func executeSelectorTests(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        guard usesDescriptors else { return raise(.invalidOpcode) }
        if operation == .arpl { return adjustPrivilege(op) }
        guard let selector = wordOperand(op) else { return .fault }
        var found: UInt64?
        if let place = selector.isNullSelector ? nil : descriptorAddress(selector) {
            guard let bits = loadSystem(place, bytes: 8) else { return .fault }
            found = test(operation, Descriptor(bits), selector)
        }
        setZeroFlag(found != nil)
        if let found, operation == .lar || operation == .lsl { setRegister(op.a, op.attributes.width, found) }
        return advance(op, .jump)
    }

    /// What the instruction finds about the descriptor, or nil where it may not know it.
    private func test(_ operation: SystemOperation, _ descriptor: Descriptor, _ selector: UInt16) -> UInt64? {
        let privilege = max(state.pointee.privilege, selector.requestedPrivilege)
        let ignoresPrivilege = descriptor.isCode && descriptor.isConforming
        guard ignoresPrivilege || descriptor.privilege >= privilege else { return nil }
        switch operation {
        case .verr: return descriptor.isCodeOrData && (descriptor.isData || descriptor.isWritable) ? 0 : nil
        case .verw: return descriptor.isData && descriptor.isWritable ? 0 : nil
        case .lar:
            guard descriptor.isCodeOrData || Processor.hasAccessRights(descriptor.type, long: isLongMode) else {
                return nil
            }
            return descriptor.bits >> 32 & 0x00ff_ff00
        default:
            guard descriptor.isCodeOrData || Processor.hasLimit(descriptor.type, long: isLongMode) else { return nil }
            return UInt64(descriptor.limit)
        }
    }

    /// Intel SDM Vol 2A "LAR", table 3-53.
    private static func hasAccessRights(_ type: UInt32, long: Bool) -> Bool {
        switch type {
        case 2, 9, 11, 12: true
        case 1, 3, 4, 5: !long
        default: false
        }
    }

    /// Intel SDM Vol 2A "LSL", table 3-55.
    private static func hasLimit(_ type: UInt32, long: Bool) -> Bool {
        switch type {
        case 2, 9, 11: true
        case 1, 3: !long
        default: false
        }
    }

    private func setZeroFlag(_ value: Bool) {
        state.pointee.rflags = state.pointee.rflags & ~RFlags.zero | (value ? RFlags.zero : 0)
    }

    private func adjustPrivilege(_ op: MicroOp) -> Outcome {
        let source = state.r16(op.a) & 3
        guard op.attributes.isMemory else {
            let old = state.r16(op.b)
            if old & 3 < source { state.setR16(op.b, old & ~3 | source) }
            setZeroFlag(old & 3 < source)
            return advance(op, .jump)
        }
        guard let place = address(op, count: 2, writes: true),
            let old = loadForUpdate(UInt16.self, at: place, stack: op.segment.isStack)
        else { return .fault }
        if old & 3 < source {
            guard store(old & ~3 | source, at: place, stack: op.segment.isStack) else { return .fault }
        }
        setZeroFlag(old & 3 < source)
        return advance(op, .jump)
    }

    // MARK: Bases

    /// RDFSBASE and its like, SWAPGS (Intel SDM Vol 2B).
    func executeBases(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        guard state.pointee.is64Bit else { return raise(.invalidOpcode) }
        if operation == .swapgs {
            guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
            let base = state.pointee.segments[Int(Segment.gs.rawValue)].base
            state.pointee.segments[Int(Segment.gs.rawValue)].base = state.pointee.kernelGSBase
            state.pointee.kernelGSBase = base
            contextChanged()
            return advance(op, .jump)
        }
        guard state.pointee.cr4 & CR4.fsgsbase != 0 else { return raise(.invalidOpcode) }
        let segment: Segment = operation == .rdfsbase || operation == .wrfsbase ? .fs : .gs
        if operation == .rdfsbase || operation == .rdgsbase {
            setRegister(op.b, op.attributes.width, state.pointee.segments[Int(segment.rawValue)].base)
            return advance(op, .jump)
        }
        let value = register(op.b, op.attributes.width)
        guard isCanonical(value) else { return raise(.generalProtection) }
        state.pointee.segments[Int(segment.rawValue)].base = value
        contextChanged()
        return advance(op, .jump)
    }
}
