// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// Back to the state after RESET (Intel SDM Vol 3A §11.1.1, table 11-1): real mode, at F000:FFF0 with CS's base at
    /// the top of 4 GiB. All but the boot processor wait for their start-up IPI. Breakpoints and counters of the
    /// debugger stay; cached translations and code go.
    public func reset() {
        var fresh = ProcessorState()
        Processor.makeInitial(&fresh)
        // What RESET sets and INIT leaves alone.
        fresh.cr0 = CR0.et | CR0.cd | CR0.nw
        fresh.mxcsr = 0x1f80
        fresh.apicBase = 0xfee0_0800 | (configuration.id == 0 ? 0x100 : 0)
        fresh.activity = configuration.id == 0 ? .running : .waitForStartup
        fresh.general[2] = UInt64(configuration.model.signature)
        state.pointee = fresh
        counters = ProcessorCounters()
        tlb.flush()
        code.flush()
        contextChanged()
        debugChanged()
    }

    /// INIT (Intel SDM Vol 3A §11.1.1): as RESET but for CD and NW, floating point and vectors, MTRRs, machine-check
    /// state, the time-stamp counter and other model-specific registers, which stay.
    public func initialize() {
        var next = state.pointee
        let caching = next.cr0 & (CR0.cd | CR0.nw)
        Processor.makeInitial(&next)
        next.cr0 = CR0.et | caching
        next.activity = .waitForStartup
        if next.apicBase & 0x100 != 0 { next.activity = .running }
        next.general[2] = UInt64(configuration.model.signature)
        state.pointee = next
        tlb.flush()
        contextChanged()
    }

    /// The start-up IPI: real mode at `vector` × 0x1000 (Intel SDM Vol 3A §10.4.4).
    public func start(vector: UInt8) {
        guard state.pointee.activity == .waitForStartup else { return }
        state.pointee.segments[1].selector = UInt16(vector) << 8
        state.pointee.segments[1].base = UInt64(vector) << 12
        state.pointee.rip = 0
        state.pointee.activity = .running
        contextChanged()
    }

    /// What RESET and INIT have in common.
    private static func makeInitial(_ state: inout ProcessorState) {
        for index in 0..<16 { state.general[index] = 0 }
        state.rflags = RFlags.fixed
        state.rip = 0xfff0
        let data = AccessRights(type: 3, privilege: 0)
        for index in 0..<6 { state.segments[index] = SegmentRegister(limit: 0xffff, rights: data) }
        state.segments[1] = SegmentRegister(
            base: 0xffff_0000, limit: 0xffff, rights: AccessRights(type: 11, privilege: 0), selector: 0xf000)
        state.ldtr = SegmentRegister(limit: 0xffff, rights: AccessRights(type: 2, codeOrData: false, privilege: 0))
        state.tr = SegmentRegister(limit: 0xffff, rights: AccessRights(type: 11, codeOrData: false, privilege: 0))
        state.gdtr = TableRegister()
        state.idtr = TableRegister()
        state.privilege = 0
        state.cr2 = 0
        state.cr3 = 0
        state.cr4 = 0
        state.efer = 0
        state.debugAddresses = InlineArray(repeating: 0)
        state.dr6 = 0xffff_0ff0
        state.dr7 = 0x400
        state.shadow = []
        state.nmiBlocked = false
        state.nmiPending = false
        state.injected = PendingEvent()
        state.sysenterCS = 0
        state.sysenterESP = 0
        state.sysenterEIP = 0
        state.tscDeadline = 0
    }
}
