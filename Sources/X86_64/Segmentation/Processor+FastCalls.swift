// SPDX-License-Identifier: Apache-2.0

/// SYSCALL, SYSENTER and their returns: no descriptor is read, segments are flat (Intel SDM Vol 2B, AMD APM Vol 3).
extension Processor {
    private static func flat(_ selector: UInt64, code: Bool, long: Bool = false, privilege: UInt8) -> SegmentRegister {
        var rights = AccessRights(type: code ? 11 : 3, privilege: privilege)
        rights.formUnion(.granular)
        rights.formUnion(long ? .long : .big)
        return SegmentRegister(limit: 0xffff_ffff, rights: rights, selector: UInt16(truncatingIfNeeded: selector))
    }

    /// `next` is the address of the next instruction.
    func systemCall(next: UInt64) -> Outcome {
        let isIntel = configuration.model.vendor == .intel
        guard state.pointee.efer & EFER.sce != 0, state.pointee.cr0 & CR0.pe != 0 else { return raise(.invalidOpcode) }
        // Intel's processors have it in 64-bit mode alone.
        if isIntel && !state.pointee.is64Bit { return raise(.invalidOpcode) }
        let star = state.pointee.star >> 32 & 0xffff
        let target: UInt64
        if isLongMode {
            target = state.pointee.is64Bit ? state.pointee.lstar : state.pointee.cstar
            state.setR64(1, next)
            // RF is clear by the time that an instruction has begun (Intel SDM Vol 3B §19.3.1.1).
            state.setR64(11, state.pointee.rflags & ~RFlags.resume)
            let cleared = state.pointee.syscallMask | RFlags.resume
            state.pointee.rflags &= ~(cleared & (RFlags.writable | RFlags.resume))
        } else {
            target = state.pointee.star & 0xffff_ffff
            state.setR64(1, next & 0xffff_ffff)
            state.pointee.rflags &= ~(RFlags.virtual8086 | RFlags.interrupt | RFlags.resume)
        }
        state.pointee.segments[2] = Processor.flat((star & ~3) &+ 8, code: false, privilege: 0)
        enter(Processor.flat(star & ~3, code: true, long: isLongMode, privilege: 0), at: target)
        // What the mask takes from TF takes the trap too.
        trapFollows = state.pointee.systemFlags & RFlags.trap != 0
        return .look
    }

    /// `wide`: REX.W, a return to 64-bit code.
    func systemReturn(wide: Bool) -> Outcome {
        let isIntel = configuration.model.vendor == .intel
        guard state.pointee.efer & EFER.sce != 0, state.pointee.cr0 & CR0.pe != 0 else { return raise(.invalidOpcode) }
        if isIntel && !state.pointee.is64Bit { return raise(.invalidOpcode) }
        guard state.pointee.privilege == 0 else { return raise(.generalProtection) }
        let star = state.pointee.star >> 48
        let target = wide ? state.r64(1) : state.r64(1) & 0xffff_ffff
        // Intel checks before the privilege changes; AMD faults at the fetch, in user mode.
        if wide && isIntel && !isCanonical(target) { return raise(.generalProtection) }
        if isLongMode {
            let kept = RFlags.resume | RFlags.virtual8086
            state.pointee.rflags = state.r64(11) & RFlags.writable & ~kept
        } else {
            state.pointee.rflags |= RFlags.interrupt
        }
        let code = wide ? star &+ 16 : star
        if isIntel {
            state.pointee.segments[2] = Processor.flat((star &+ 8) | 3, code: false, privilege: 3)
        } else {
            // AMD APM Vol 3 "SYSRET": SS gets a selector; base, limit and attributes stay.
            state.pointee.segments[2].selector = UInt16(truncatingIfNeeded: (star &+ 8) | 3)
            if !isLongMode { state.pointee.segments[2] = Processor.flat((star &+ 8) | 3, code: false, privilege: 3) }
        }
        enter(Processor.flat(code | 3, code: true, long: wide, privilege: 3), at: target)
        // A TF that it restores traps behind the system call, not behind the next instruction.
        trapFollows = false
        if state.pointee.systemFlags & RFlags.trap != 0 { return raise(Fault(.debug, address: 1 << 14)) }
        return .look
    }

    func systemEnter() -> Outcome {
        let isAMD = configuration.model.vendor == .amd
        // AMD's processors have it outside of long mode alone.
        guard !(isAMD && isLongMode) else { return raise(.invalidOpcode) }
        guard state.pointee.cr0 & CR0.pe != 0, state.pointee.sysenterCS & 0xfffc != 0 else {
            return raise(.generalProtection)
        }
        let selector = state.pointee.sysenterCS & 0xfffc
        state.pointee.rflags &= ~(RFlags.virtual8086 | RFlags.interrupt | RFlags.resume)
        let mask: UInt64 = isLongMode ? .max : 0xffff_ffff
        state.pointee.segments[2] = Processor.flat(selector &+ 8, code: false, privilege: 0)
        enter(
            Processor.flat(selector, code: true, long: isLongMode, privilege: 0), at: state.pointee.sysenterEIP & mask)
        state.setR64(4, state.pointee.sysenterESP & mask)
        return .look
    }

    /// `wide`: REX.W, a return to 64-bit code.
    func systemExit(wide: Bool) -> Outcome {
        let isAMD = configuration.model.vendor == .amd
        guard !(isAMD && isLongMode) else { return raise(.invalidOpcode) }
        guard state.pointee.cr0 & CR0.pe != 0, state.pointee.privilege == 0, state.pointee.sysenterCS & 0xfffc != 0
        else { return raise(.generalProtection) }
        let selector = (state.pointee.sysenterCS & 0xfffc) &+ (wide ? 32 : 16)
        let target = state.r64(2)
        let pointer = state.r64(1)
        if wide && !(isCanonical(target) && isCanonical(pointer)) { return raise(.generalProtection) }
        state.pointee.segments[2] = Processor.flat((selector &+ 8) | 3, code: false, privilege: 3)
        enter(
            Processor.flat(selector | 3, code: true, long: wide, privilege: 3),
            at: wide ? target : target & 0xffff_ffff)
        state.setR64(4, wide ? pointer : pointer & 0xffff_ffff)
        return .look
    }
}
