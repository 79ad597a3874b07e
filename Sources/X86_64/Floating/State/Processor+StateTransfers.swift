// SPDX-License-Identifier: Apache-2.0

import VMMemory

extension Processor {
    /// FXSAVE, FXRSTOR and the XSAVE family (Intel SDM Vol 1 §10.5, §13.7 to §13.12).
    @inline(never)
    func executeStateTransfer(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        switch operation {
        case .fxsave, .fxrstor:
            // TS was looked at already (`isVectorAvailable`).
            guard state.pointee.cr0 & CR0.em == 0 else { return raise(.deviceNotAvailable) }
            guard let address = areaAddress(op, bytes: 512, alignment: 16, writes: operation == .fxsave) else {
                return .fault
            }
            // AMD's fast form leaves the vector registers out at CPL 0 in 64-bit mode.
            let fast =
                state.pointee.efer & EFER.ffxsr != 0 && state.pointee.privilege == 0 && state.pointee.is64Bit
            let components = StateComponents.x87 | (fast ? 0 : StateComponents.sse)
            let area = StateArea(processor: self, address: address, stack: op.segment.isStack, wide: isQuad(op))
            if operation == .fxsave {
                return area.saveX87() && area.saveControl() && (fast || area.saveVectors()) ? .next : .fault
            }
            guard let image = area.loadLegacy() else { return .fault }
            guard image.mxcsr & ~mxcsrMask == 0 else { return raise(.generalProtection) }
            state.pointee.mxcsr = image.mxcsr
            area.apply(image, components)
            return .next
        default: break
        }
        guard state.pointee.cr4 & CR4.osxsave != 0 else { return raise(.invalidOpcode) }
        let isSupervisor = operation == .xsaves || operation == .xrstors
        guard !isSupervisor || state.pointee.privilege == 0 else { return raise(.generalProtection) }
        let enabled = state.pointee.xcr0
        let requested = (state.r64(2) << 32 | state.r64(0) & 0xffff_ffff) & enabled
        let saves = operation != .xrstor && operation != .xrstors
        let compacts = operation == .xsavec || operation == .xsaves
        let bytes = StateComponents.size(requested, isCompacted: !saves || compacts)
        guard let address = areaAddress(op, bytes: saves ? bytes : 576, alignment: 64, writes: saves) else {
            return .fault
        }
        let area = StateArea(processor: self, address: address, stack: op.segment.isStack, wide: isQuad(op))
        if !saves { return restore(area, requested, isSupervisor: isSupervisor) }
        return save(area, requested, compacts: compacts, optimizes: operation != .xsave)
    }

    /// The area's linear address: aligned, and of a store writable to its end, so that nothing is half written.
    private func areaAddress(_ op: MicroOp, bytes: UInt64, alignment: UInt64, writes: Bool) -> UInt64? {
        guard let address = address(op, count: bytes, writes: writes) else { return nil }
        guard address & (alignment - 1) == 0 else { return refuse(.generalProtection) }
        if writes, !isWritable(address, bytes: bytes, stack: op.segment.isStack) { return nil }
        return address
    }

    /// XSAVE and its kin, of the components `requested`.
    private func save(_ area: StateArea, _ requested: UInt64, compacts: Bool, optimizes: Bool) -> Outcome {
        var inUse = stateComponentsInUse & requested
        if compacts && requested & StateComponents.sse != 0 && state.pointee.mxcsr != 0x1f80 {
            inUse |= StateComponents.sse
        }
        let saved = optimizes ? inUse : requested
        let layout = compacts ? requested : 0
        if saved & StateComponents.x87 != 0, !area.saveX87() { return .fault }
        let controls = compacts ? saved & StateComponents.sse : requested & (StateComponents.sse | StateComponents.avx)
        if controls != 0, !area.saveControl() { return .fault }
        if saved & StateComponents.sse != 0, !area.saveVectors() { return .fault }
        if saved & StateComponents.avx != 0, !area.saveUpperVectors() { return .fault }
        if saved & StateComponents.protectionKeys != 0 {
            let offset =
                compacts
                ? StateComponents.compactedOffset(StateComponents.protectionKeys, layout)
                : StateComponents.standardOffset(StateComponents.protectionKeys)
            guard area.store(state.pointee.pkru, offset) else { return .fault }
        }
        if compacts {
            guard area.store(inUse, 512), area.store(requested | StateComponents.compacted, 520) else { return .fault }
            return .next
        }
        guard let old = area.load(512), area.store(old & ~requested | inUse, 512) else { return .fault }
        return .next
    }

    /// XRSTOR and XRSTORS: everything is read and checked before anything changes.
    private func restore(_ area: StateArea, _ requested: UInt64, isSupervisor: Bool) -> Outcome {
        guard let present = area.load(512), let layout = area.load(520) else { return .fault }
        for offset in stride(from: UInt64(528), to: 576, by: 8) {
            guard let reserved = area.load(offset) else { return .fault }
            // The standard form checks but the first of the reserved quad words.
            guard reserved == 0 || layout == 0 && offset > 528 else { return raise(.generalProtection) }
        }
        let compacted = layout & StateComponents.compacted != 0
        let components = layout & ~StateComponents.compacted
        let enabled = state.pointee.xcr0
        if compacted {
            guard configuration.model.has(.xsavec), components & ~enabled == 0, present & ~components == 0 else {
                return raise(.generalProtection)
            }
        } else {
            guard !isSupervisor, layout == 0, present & ~enabled == 0 else { return raise(.generalProtection) }
        }
        let loaded = requested & present
        guard let image = area.loadLegacy() else { return .fault }
        var upper: [Lane] = []
        if loaded & StateComponents.avx != 0 {
            guard let lanes = area.loadUpperVectors() else { return .fault }
            upper = lanes
        }
        var keys: UInt64 = 0
        if loaded & StateComponents.protectionKeys != 0 {
            let offset =
                compacted
                ? StateComponents.compactedOffset(StateComponents.protectionKeys, components)
                : StateComponents.standardOffset(StateComponents.protectionKeys)
            guard let value = area.load(offset) else { return .fault }
            keys = value
        }
        let loadsControl =
            compacted
            ? loaded & StateComponents.sse != 0
            : requested & (StateComponents.sse | StateComponents.avx) != 0
        if loadsControl {
            guard image.mxcsr & ~mxcsrMask == 0 else { return raise(.generalProtection) }
            state.pointee.mxcsr = image.mxcsr
        } else if compacted && requested & StateComponents.sse != 0 {
            state.pointee.mxcsr = 0x1f80
        }
        initialize(components: requested & ~present)
        area.apply(image, loaded)
        for (index, lane) in upper.enumerated() { setUpperLane(UInt8(index), lane) }
        if loaded & StateComponents.protectionKeys != 0 { setProtectionKeys(keys) }
        return .next
    }
}
