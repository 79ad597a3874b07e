// SPDX-License-Identifier: Apache-2.0

/// A task-state segment's fields (Intel SDM Vol 3A §9.2.1, §9.6).
private struct TaskLayout {
    let isWide: Bool

    var minimumLimit: UInt32 { isWide ? 0x67 : 0x2b }
    /// The width of registers.
    var bytes: UInt64 { isWide ? 4 : 2 }
    var cr3: UInt64 { 0x1c }
    var instruction: UInt64 { isWide ? 0x20 : 0x0e }
    var flags: UInt64 { isWide ? 0x24 : 0x10 }
    func general(_ index: Int) -> UInt64 { (isWide ? 0x28 : 0x12) + UInt64(index) * bytes }
    /// ES, CS, SS, DS, and FS and GS where there are six.
    func segment(_ index: Int) -> UInt64 { (isWide ? 0x48 : 0x22) + UInt64(index) * bytes }
    var segments: Int { isWide ? 6 : 4 }
    var ldt: UInt64 { isWide ? 0x60 : 0x2a }
    var trap: UInt64 { 0x64 }
}

/// What a task's TSS says.
private struct TaskImage {
    var cr3: UInt64 = 0
    var instruction: UInt64 = 0
    var flags: UInt64 = 0
    var general = InlineArray<8, UInt64>(repeating: 0)
    var segments = InlineArray<6, UInt16>(repeating: 0)
    var ldt: UInt16 = 0
    var trap = false
}

extension Processor {
    /// What switches tasks.
    enum TaskSwitch { case jump, call, interruptReturn, interrupt }

    /// IRET with NT set: to the task that the TSS links to.
    func returnToPreviousTask() -> Outcome {
        guard let link = loadSystem(state.pointee.tr.base, bytes: 2) else { return .fault }
        return switchTask(to: UInt16(truncatingIfNeeded: link), .interruptReturn, next: state.pointee.rip, gate: false)
    }

    /// Switches to the task of the TSS that `selector` names (Intel SDM Vol 3A §9.3). `next` is where the old task goes on.
    /// A fault in the checks before the switch is the old task's; afterwards it is the new one's.
    func switchTask(to selector: UInt16, _ kind: TaskSwitch, next: UInt64, gate: Bool) -> Outcome {
        let vector: ExceptionVector = kind == .interruptReturn || gate ? .invalidTSS : .generalProtection
        let error = Fault(vector, code: selector.selectorCode)
        guard selector & 4 == 0, !selector.isNullSelector else { return raise(error) }
        guard let descriptor = descriptor(selector, else: vector) else { return .fault }
        let busy: UInt32 = kind == .interruptReturn ? 2 : 0
        guard !descriptor.isCodeOrData, descriptor.type & 0b0111 == 1 | busy else { return raise(error) }
        guard descriptor.isPresent else { return raise(Fault(.segmentNotPresent, code: selector.selectorCode)) }
        let layout = TaskLayout(isWide: descriptor.type & 8 != 0)
        guard descriptor.limit >= layout.minimumLimit else {
            return raise(Fault(.invalidTSS, code: selector.selectorCode))
        }
        guard let image = loadTask(descriptor.base, layout), saveTask(kind, next: next) else { return .fault }
        if kind == .jump || kind == .interruptReturn {
            guard updateType(state.pointee.tr.selector, clear: 2) else { return .fault }
        }
        if kind == .call || kind == .interrupt {
            guard storeSystem(descriptor.base, UInt64(state.pointee.tr.selector), bytes: 2) else { return .fault }
        }
        if kind != .interruptReturn {
            guard updateType(selector, set: 2) else { return .fault }
        }
        var register = Descriptor(descriptor.bits | 2 << 40).segment(selector: selector)
        register.rights.remove(.unusable)
        state.pointee.tr = register
        return enterTask(image, layout, nested: kind == .call || kind == .interrupt)
    }

    private func loadTask(_ base: UInt64, _ layout: TaskLayout) -> TaskImage? {
        var image = TaskImage()
        if layout.isWide {
            guard let cr3 = loadSystem(base &+ layout.cr3, bytes: 4),
                let trap = loadSystem(base &+ layout.trap, bytes: 2)
            else { return nil }
            image.cr3 = cr3
            image.trap = trap & 1 != 0
        }
        guard let instruction = loadSystem(base &+ layout.instruction, bytes: layout.bytes),
            let flags = loadSystem(base &+ layout.flags, bytes: layout.bytes),
            let ldt = loadSystem(base &+ layout.ldt, bytes: 2)
        else { return nil }
        image.instruction = instruction
        image.flags = flags
        image.ldt = UInt16(truncatingIfNeeded: ldt)
        for index in 0..<8 {
            guard let value = loadSystem(base &+ layout.general(index), bytes: layout.bytes) else { return nil }
            // The upper halves are undefined after a 16-bit task was loaded; all ones is what processors leave.
            image.general[index] = layout.isWide ? value : value | 0xffff_0000
        }
        for index in 0..<layout.segments {
            guard let value = loadSystem(base &+ layout.segment(index), bytes: 2) else { return nil }
            image.segments[index] = UInt16(truncatingIfNeeded: value)
        }
        return image
    }

    /// Writes the running task's registers into its TSS. False: raised.
    private func saveTask(_ kind: TaskSwitch, next: UInt64) -> Bool {
        let tss = state.pointee.tr
        let layout = TaskLayout(isWide: tss.rights.type & 8 != 0)
        var flags = state.pointee.rflags
        if kind == .interruptReturn { flags &= ~RFlags.nestedTask }
        guard storeSystem(tss.base &+ layout.instruction, next, bytes: layout.bytes),
            storeSystem(tss.base &+ layout.flags, flags, bytes: layout.bytes)
        else { return false }
        for index in 0..<8 {
            let value = state.r64(UInt8(index))
            guard storeSystem(tss.base &+ layout.general(index), value, bytes: layout.bytes) else { return false }
        }
        for index in 0..<layout.segments {
            let selector = UInt64(state.pointee.segments[index].selector)
            guard storeSystem(tss.base &+ layout.segment(index), selector, bytes: 2) else { return false }
        }
        return true
    }

    private func enterTask(_ image: TaskImage, _ layout: TaskLayout, nested: Bool) -> Outcome {
        state.pointee.cr0 |= CR0.ts
        if layout.isWide && state.pointee.cr0 & CR0.pg != 0 {
            state.pointee.cr3 = image.cr3
            tlb.flush()
        }
        replaceFlags(image.flags, changing: RFlags.writable)
        if nested { state.pointee.rflags |= RFlags.nestedTask }
        for index in 0..<8 { state.setR64(UInt8(index), image.general[index]) }
        // The local breakpoints are the old task's (Intel SDM Vol 3B §19.2.4).
        state.pointee.dr7 &= ~0x155
        state.pointee.rip = image.instruction
        if isVirtual8086 {
            guard loadTable(image.ldt) else { return .fault }
            var selectors: [UInt64] = []
            for index in 0..<6 { selectors.append(UInt64(image.segments[index])) }
            enterVirtual8086(selectors, image.instruction, state.r64(4))
            return trapped(image)
        }
        // Until each is loaded, nothing may be reached through the old ones.
        for index in 0..<6 {
            state.pointee.segments[index] = SegmentRegister(rights: .unusable, selector: image.segments[index])
        }
        state.pointee.privilege = image.segments[1].requestedPrivilege
        contextChanged()
        guard loadTable(image.ldt), loadTaskSegments(image) else { return .fault }
        guard image.instruction <= UInt64(state.pointee.segments[1].limit) else { return raise(.generalProtection) }
        return trapped(image)
    }

    /// The debug exception that a TSS's T bit asks for: DR6.BT.
    private func trapped(_ image: TaskImage) -> Outcome {
        image.trap ? raise(Fault(.debug, address: 1 << 15)) : .look
    }

    /// LDTR of a new task: as LLDT, but for the exception.
    private func loadTable(_ selector: UInt16) -> Bool {
        state.pointee.ldtr = SegmentRegister(rights: .unusable, selector: selector)
        guard !selector.isNullSelector else { return true }
        let error = Fault(.invalidTSS, code: selector.selectorCode)
        guard selector & 4 == 0 else { return raise(error) == .next }
        guard let descriptor = descriptor(selector, else: .invalidTSS) else { return false }
        guard !descriptor.isCodeOrData, descriptor.type == Descriptor.SystemType.ldt, descriptor.isPresent else {
            return raise(error) == .next
        }
        state.pointee.ldtr = descriptor.segment(selector: selector)
        return true
    }

    /// The segment registers of a new task: CS and SS by its own privilege, checks as #TS.
    private func loadTaskSegments(_ image: TaskImage) -> Bool {
        let selector = image.segments[1]
        let error = Fault(.invalidTSS, code: selector.selectorCode)
        guard !selector.isNullSelector else { return raise(error) == .next }
        guard let code = descriptor(selector, else: .invalidTSS) else { return false }
        let requested = selector.requestedPrivilege
        let allowed = code.isConforming ? code.privilege <= requested : code.privilege == requested
        guard code.isCode, allowed else { return raise(error) == .next }
        guard code.isPresent else { return raise(Fault(.segmentNotPresent, code: selector.selectorCode)) == .next }
        guard let register = accessed(code, selector) else { return false }
        state.pointee.segments[1] = register
        contextChanged()
        guard !image.segments[2].isNullSelector else { return raise(Fault(.invalidTSS)) == .next }
        guard let stack = stackSegment(image.segments[2], privilege: requested, else: .invalidTSS) else { return false }
        setSegment(.ss, stack)
        for segment in [Segment.es, .ds, .fs, .gs] {
            let selector = image.segments[Int(segment.rawValue)]
            guard !selector.isNullSelector else { continue }
            guard loadSegment(segment, selector) else {
                if fault.vector == .generalProtection { fault.vector = .invalidTSS }
                return false
            }
        }
        return true
    }
}
