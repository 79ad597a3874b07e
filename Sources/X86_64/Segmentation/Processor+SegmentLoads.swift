// SPDX-License-Identifier: Apache-2.0

extension Processor {
    /// Loads `selector` into a data or stack segment register with all checks (Intel SDM Vol 2B "MOV", Vol 3A §6.5 to
    /// §6.7). False: raised, and nothing has changed.
    func loadSegment(_ segment: Segment, _ selector: UInt16) -> Bool {
        guard usesDescriptors else {
            loadRealSegment(segment, selector)
            return true
        }
        let loaded: SegmentRegister? =
            if selector.isNullSelector {
                nullSegment(segment, selector)
            } else if segment == .ss {
                stackSegment(selector, privilege: state.pointee.privilege, else: .generalProtection)
            } else {
                dataSegment(selector)
            }
        guard let loaded else { return false }
        setSegment(segment, loaded)
        return true
    }

    /// Replaces a segment register, and what was derived from it.
    func setSegment(_ segment: Segment, _ register: SegmentRegister) {
        state.pointee.segments[Int(segment.rawValue)] = register
        contextChanged()
    }

    /// Real and virtual-8086 mode: a base out of the selector (Intel SDM Vol 3B §22.1.1). In real mode limit and rights
    /// stay as they are.
    func loadRealSegment(_ segment: Segment, _ selector: UInt16) {
        var register = state.pointee.segments[Int(segment.rawValue)]
        register.selector = selector
        register.base = UInt64(selector) << 4
        if isVirtual8086 {
            register.limit = 0xffff
            register.rights = AccessRights(type: 3, privilege: 3)
        } else if segment == .cs {
            // Writable as every segment of real mode; sizes stay what protected mode left.
            let sizes = register.rights.rawValue & (AccessRights.big.rawValue | AccessRights.granular.rawValue)
            register.rights = AccessRights(rawValue: AccessRights(type: 3, privilege: 0).rawValue | sizes)
        }
        setSegment(segment, register)
    }

    /// What a null selector leaves in a register, or nil where SS refuses it.
    private func nullSegment(_ segment: Segment, _ selector: UInt16) -> SegmentRegister? {
        let privilege = state.pointee.privilege
        guard segment == .ss else {
            var register = SegmentRegister(rights: .unusable, selector: selector)
            // AMD APM Vol 2 §4.5.3: base and limit stay what they were. Intel clears them.
            if configuration.model.vendor == .amd {
                register.base = state.pointee.segments[Int(segment.rawValue)].base
                register.limit = state.pointee.segments[Int(segment.rawValue)].limit
            }
            return register
        }
        guard state.pointee.is64Bit, privilege != 3, selector.requestedPrivilege == privilege else {
            return refuse(.generalProtection)
        }
        return Processor.nullStack(selector: selector, privilege: privilege)
    }

    /// SS without a segment, as 64-bit mode has it: its DPL is the CPL.
    static func nullStack(selector: UInt16, privilege: UInt64) -> SegmentRegister {
        SegmentRegister(
            rights: AccessRights(rawValue: AccessRights.unusable.rawValue | UInt32(privilege) << 5), selector: selector)
    }

    /// SS for code at `privilege`: `vector` says which exception its checks raise; not present is always #SS.
    func stackSegment(_ selector: UInt16, privilege: UInt64, else vector: ExceptionVector) -> SegmentRegister? {
        guard let descriptor = descriptor(selector, else: vector) else { return nil }
        guard selector.requestedPrivilege == privilege, descriptor.privilege == privilege, descriptor.isData,
            descriptor.isWritable
        else { return refuse(Fault(vector, code: selector.selectorCode)) }
        guard descriptor.isPresent else { return refuse(Fault(.stackFault, code: selector.selectorCode)) }
        return accessed(descriptor, selector)
    }

    /// ES, DS, FS or GS.
    private func dataSegment(_ selector: UInt16) -> SegmentRegister? {
        guard let descriptor = descriptor(selector) else { return nil }
        guard isReadable(descriptor, selector) else {
            return refuse(Fault(.generalProtection, code: selector.selectorCode))
        }
        guard descriptor.isPresent else { return refuse(Fault(.segmentNotPresent, code: selector.selectorCode)) }
        return accessed(descriptor, selector)
    }

    /// Whether a data segment register may hold the descriptor: data or readable code, of a privilege that allows it.
    private func isReadable(_ descriptor: Descriptor, _ selector: UInt16) -> Bool {
        guard descriptor.isCodeOrData, descriptor.isData || descriptor.isWritable else { return false }
        if descriptor.isCode && descriptor.isConforming { return true }
        return max(state.pointee.privilege, selector.requestedPrivilege) <= descriptor.privilege
    }

    /// After a return to less privileged code: data segments that it may not have become null (Intel SDM Vol 2B "RET").
    func dropInnerSegments() {
        for segment in [Segment.es, .ds, .fs, .gs] {
            let register = state.pointee.segments[Int(segment.rawValue)]
            guard !register.rights.contains(.unusable), UInt64(register.rights.privilege) < state.pointee.privilege,
                !(register.rights.contains(.code) && register.rights.isConforming)
            else { continue }
            state.pointee.segments[Int(segment.rawValue)] = SegmentRegister(base: register.base, rights: .unusable)
        }
    }
}

extension Processor {
    /// What SS and the pointer that goes with it are while something is pushed or popped. The state's own pointer is
    /// set once all has gone well.
    struct Stack {
        var pointer: UInt64
        let segment: SegmentRegister
        /// 64-bit mode: no base, no limit.
        let isFlat: Bool
        /// The error code of a #SS: zero, or the selector of a stack that is being switched to.
        var code: UInt32 = 0
        /// The stack of an inner level: whatever the CPL is still, user rights do not count.
        var isInner = false

        /// Bits of the pointer that count.
        var mask: UInt64 { isFlat ? .max : segment.rights.contains(.big) ? 0xffff_ffff : 0xffff }
    }

    /// The stack that is in use.
    var currentStack: Stack {
        Stack(
            pointer: state.r64(4), segment: state.pointee.segments[Int(Segment.ss.rawValue)],
            isFlat: state.pointee.is64Bit)
    }

    /// Makes `stack`'s pointer the state's: what lies above its mask stays.
    func commit(_ stack: Stack) {
        let mask = stack.mask
        // A 32-bit pointer clears what is above, as a write to ESP does; a 16-bit one does not.
        state.setR64(4, mask == 0xffff ? state.r64(4) & ~0xffff | stack.pointer & 0xffff : stack.pointer & mask)
    }

    /// The linear address of `count` bytes at `offset` of `stack`, or nil with #SS raised.
    private func stackAddress(_ stack: Stack, _ offset: UInt64, count: UInt64) -> UInt64? {
        if stack.isFlat { return offset }
        let last = offset &+ (count - 1)
        let limit = UInt64(stack.segment.limit)
        let top: UInt64 = stack.segment.rights.contains(.big) ? 0xffff_ffff : 0xffff
        let inside =
            stack.segment.rights.contains(.expandsDown)
            ? offset > limit && last <= top : last <= limit
        guard inside, offset <= last, !stack.segment.rights.contains(.unusable) else {
            return refuse(Fault(.stackFault, code: stack.code))
        }
        return (offset &+ stack.segment.base) & 0xffff_ffff
    }

    /// Pushes `count` bytes of `value`. False: raised.
    func push(_ stack: inout Stack, _ value: UInt64, _ count: UInt64) -> Bool {
        let pointer = (stack.pointer &- count) & stack.mask
        guard let address = stackAddress(stack, pointer, count: count) else { return false }
        let done =
            stack.isInner
            ? storeSystem(address, value, bytes: count, stack: true)
            : store(Processor.width(count), value, at: address, stack: true)
        guard done else {
            if fault.vector == .stackFault { fault.code = stack.code }
            return false
        }
        stack.pointer = pointer
        return true
    }

    /// Pops `count` bytes. Nil: raised.
    func pop(_ stack: inout Stack, _ count: UInt64) -> UInt64? {
        let pointer = stack.pointer & stack.mask
        guard let address = stackAddress(stack, pointer, count: count),
            let value = load(Processor.width(count), at: address, stack: true)
        else { return nil }
        stack.pointer = (pointer &+ count) & stack.mask
        return value
    }

    /// The width of `count` bytes, 1, 2, 4 or 8.
    private static func width(_ count: UInt64) -> OperandWidth {
        OperandWidth(bits: UInt8(truncatingIfNeeded: count.trailingZeroBitCount))
    }
}
