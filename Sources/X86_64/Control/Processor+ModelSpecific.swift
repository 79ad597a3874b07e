// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// What RDMSR reads, or nil for #GP: there is no such register, or it can only be written.
    public func readModelSpecific(_ number: UInt32) -> UInt64? {
        let model = configuration.model
        if let index = MSR.fixedMemoryType(number) {
            return model.has(.mtrr) ? state.pointee.mtrrFixed[index] : nil
        }
        switch number {
        case MSR.p5Address, MSR.p5Type: return 0
        case MSR.timeStamp: return timeStamp
        case MSR.platformID: return model.vendor == .intel ? 0 : nil
        case MSR.apicBase, MSR.timeStampDeadline, 0x800...0x8ff:
            return door.readLocalRegister(number)
        case MSR.featureControl: return model.vendor == .intel ? 1 : nil
        case MSR.timeStampAdjust: return model.has(.tscAdjust) ? state.pointee.tscAdjust : nil
        case MSR.speculationControl: return model.has(.specControl) ? state.pointee.specControl : nil
        case MSR.microcodeRevision: return model.vendor == .intel ? 1 << 32 : 0x0100_0000
        case MSR.memoryTypeCapabilities:
            // Eight variable ranges, fixed ranges, write-combining.
            return model.has(.mtrr) ? UInt64(MSR.variableRanges) | 1 << 8 | 1 << 10 : nil
        case MSR.architecturalCapabilities:
            return model.has(.archCapabilities) ? architecturalCapabilities : nil
        case MSR.sysenterCS: return model.has(.sep) ? state.pointee.sysenterCS : nil
        case MSR.sysenterESP: return model.has(.sep) ? state.pointee.sysenterESP : nil
        case MSR.sysenterEIP: return model.has(.sep) ? state.pointee.sysenterEIP : nil
        // MCG_CTL_P and the banks.
        case MSR.machineCheckCapabilities: return model.has(.mca) ? 1 << 8 | UInt64(MSR.banks) : nil
        case MSR.machineCheckStatus: return model.has(.mca) ? state.pointee.machineCheckStatus : nil
        case MSR.machineCheckControl: return model.has(.mca) ? state.pointee.machineCheckControl : nil
        case MSR.machineCheckBanks..<MSR.machineCheckBanks + 4 * MSR.banks:
            return model.has(.mca)
                ? state.pointee.machineCheckBanks[Int(number - MSR.machineCheckBanks)] : nil
        // A ratio of 10 (Linux divides by it).
        case MSR.performanceStatus: return model.vendor == .intel ? 10 << 8 | 10 << 40 : nil
        case MSR.miscEnable: return model.vendor == .intel ? state.pointee.miscEnable : nil
        case MSR.debugControl: return state.pointee.debugControl
        case MSR.variableMemoryTypes..<MSR.variableMemoryTypes + 2 * MSR.variableRanges:
            guard model.has(.mtrr) else { return nil }
            return state.pointee.mtrrVariable[Int(number - MSR.variableMemoryTypes)]
        case MSR.pageAttributes: return model.has(.pat) ? state.pointee.pat : nil
        case MSR.defaultMemoryType: return model.has(.mtrr) ? state.pointee.mtrrDefaultType : nil
        case MSR.protectionKeys: return model.has(.pks) ? state.pointee.pkrs : nil
        case MSR.extendedState: return model.has(.xsaves) ? state.pointee.xss : nil
        case MSR.efer: return state.pointee.efer
        case MSR.star: return model.has(.syscall) ? state.pointee.star : nil
        case MSR.longStar: return model.has(.lm) ? state.pointee.lstar : nil
        case MSR.compatibilityStar: return model.has(.lm) ? state.pointee.cstar : nil
        case MSR.flagMask: return model.has(.syscall) ? state.pointee.syscallMask : nil
        case MSR.fsBase: return model.has(.lm) ? state.pointee.segments[4].base : nil
        case MSR.gsBase: return model.has(.lm) ? state.pointee.segments[5].base : nil
        case MSR.kernelGSBase: return model.has(.lm) ? state.pointee.kernelGSBase : nil
        case MSR.timeStampAux:
            return model.has(.rdtscp) || model.has(.rdpid) ? state.pointee.tscAux : nil
        // MtrrFixDramModEn and its like are off; the invariant counter is told by TscFreqSel.
        case MSR.systemConfiguration: return model.vendor == .amd ? 0 : nil
        case MSR.hardwareConfiguration: return model.vendor == .amd ? 1 << 24 : nil
        default: return MSR.isInert(number, model.vendor) ? 0 : nil
        }
    }

    /// That the processor has none of the flaws that kernels work around: IBRS_ALL goes with IA32_SPEC_CTRL.
    private var architecturalCapabilities: UInt64 {
        let bits: [UInt64] = [0, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62]
        let immune = bits.reduce(UInt64(0)) { $0 | UInt64(1) << $1 }
        return immune | (configuration.model.has(.specControl) ? 2 : 0)
    }

    /// What WRMSR does; false for #GP.
    public func writeModelSpecific(_ number: UInt32, _ value: UInt64) -> Bool {
        let model = configuration.model
        if MSR.fixedMemoryType(number) != nil || (0x200..<0x210).contains(number)
            || number == MSR.defaultMemoryType
        {
            return model.has(.mtrr) && writeMemoryType(number, value)
        }
        switch number {
        case MSR.p5Address, MSR.p5Type: return true
        case MSR.timeStamp:
            moveTimeStamp(by: value &- timeStamp)
            return true
        case MSR.timeStampAdjust:
            guard model.has(.tscAdjust) else { return false }
            moveTimeStamp(by: value &- state.pointee.tscAdjust)
            return true
        case MSR.apicBase, MSR.timeStampDeadline, 0x800...0x8ff:
            guard door.writeLocalRegister(value, number) else { return false }
            if number == MSR.apicBase { state.pointee.apicBase = value }
            if number == MSR.timeStampDeadline { state.pointee.tscDeadline = value }
            return true
        case MSR.speculationControl:
            guard model.has(.specControl), value & ~(model.has(.ssbd) ? 7 : 3) == 0 else { return false }
            state.pointee.specControl = value
            return true
        case MSR.predictionCommand: return model.has(.specControl) && value & ~1 == 0
        case MSR.microcodeUpdate, MSR.microcodeRevision: return true
        case MSR.sysenterCS:
            state.pointee.sysenterCS = value & 0xffff_ffff
            return model.has(.sep)
        case MSR.sysenterESP: return model.has(.sep) && writeAddress(\.sysenterESP, value)
        case MSR.sysenterEIP: return model.has(.sep) && writeAddress(\.sysenterEIP, value)
        case MSR.machineCheckStatus:
            state.pointee.machineCheckStatus = value
            return model.has(.mca)
        case MSR.machineCheckControl:
            state.pointee.machineCheckControl = value
            return model.has(.mca) && (value == 0 || value == .max)
        case MSR.machineCheckBanks..<MSR.machineCheckBanks + 4 * MSR.banks:
            return model.has(.mca) && writeBank(Int(number - MSR.machineCheckBanks), value)
        case MSR.miscEnable:
            state.pointee.miscEnable = value
            return model.vendor == .intel
        case MSR.debugControl:
            guard value & ~0xffc3 == 0 else { return false }
            state.pointee.debugControl = value
            return true
        case MSR.pageAttributes:
            // Uncached, write-combining, write-through, write-protected, write-back, uncached-minus.
            guard model.has(.pat), Processor.bytes(of: value, areAmong: 0b1111_0011) else { return false }
            state.pointee.pat = value
            return true
        case MSR.protectionKeys:
            guard model.has(.pks), value >> 32 == 0 else { return false }
            state.pointee.pkrs = value
            tlb.flush()
            return true
        // No supervisor state is offered.
        case MSR.extendedState: return model.has(.xsaves) && value == 0
        case MSR.efer: return writeEFER(value)
        default: return writeSystemCall(number, value)
        }
    }

    private func writeSystemCall(_ number: UInt32, _ value: UInt64) -> Bool {
        let model = configuration.model
        switch number {
        case MSR.star:
            state.pointee.star = value
            return model.has(.syscall)
        case MSR.flagMask:
            state.pointee.syscallMask = value & 0xffff_ffff
            return model.has(.syscall)
        case MSR.longStar: return model.has(.lm) && writeAddress(\.lstar, value)
        case MSR.compatibilityStar: return model.has(.lm) && writeAddress(\.cstar, value)
        case MSR.kernelGSBase: return model.has(.lm) && writeAddress(\.kernelGSBase, value)
        case MSR.fsBase, MSR.gsBase:
            guard model.has(.lm), isCanonical(value) else { return false }
            state.pointee.segments[number == MSR.fsBase ? 4 : 5].base = value
            return true
        case MSR.timeStampAux:
            guard model.has(.rdtscp) || model.has(.rdpid), value >> 32 == 0 else { return false }
            state.pointee.tscAux = value
            return true
        case MSR.systemConfiguration, MSR.hardwareConfiguration: return model.vendor == .amd
        default: return MSR.isInert(number, model.vendor)
        }
    }

    private func writeAddress(_ register: WritableKeyPath<ProcessorState, UInt64>, _ value: UInt64) -> Bool {
        guard isCanonical(value) else { return false }
        state.pointee[keyPath: register] = value
        return true
    }

    /// IA32_EFER (Intel SDM Vol 4, AMD APM Vol 2 §3.1.7).
    private func writeEFER(_ value: UInt64) -> Bool {
        let model = configuration.model
        var possible = EFER.lma
        if model.has(.syscall) { possible |= EFER.sce }
        if model.has(.lm) { possible |= EFER.lme }
        if model.has(.nx) { possible |= EFER.nxe }
        if model.has(.fxsrOpt) { possible |= EFER.ffxsr }
        let old = state.pointee.efer
        guard value & ~possible == 0 else { return false }
        guard (value ^ old) & EFER.lme == 0 || state.pointee.cr0 & CR0.pg == 0 else { return false }
        state.pointee.efer = value & ~EFER.lma | old & EFER.lma
        if (value ^ old) & EFER.nxe != 0 { tlb.flush() }
        return true
    }

    /// Control registers take ones, the others zero (Intel SDM Vol 3B §17.3.2).
    private func writeBank(_ index: Int, _ value: UInt64) -> Bool {
        guard index & 3 == 0 ? (value == 0 || value == .max) : value == 0 else { return false }
        state.pointee.machineCheckBanks[index] = value
        return true
    }

    // MARK: Memory types (Intel SDM Vol 3A §13.11): kept, and without effect on memory that is always coherent

    private func writeMemoryType(_ number: UInt32, _ value: UInt64) -> Bool {
        let types: UInt8 = 0b0111_0011
        if let index = MSR.fixedMemoryType(number) {
            guard Processor.bytes(of: value, areAmong: types) else { return false }
            state.pointee.mtrrFixed[index] = value
            return true
        }
        let isType = value & 0xff < 8 && types >> UInt8(value & 7) & 1 != 0
        if number == MSR.defaultMemoryType {
            guard isType, value & ~0xcff == 0 else { return false }
            state.pointee.mtrrDefaultType = value
            return true
        }
        guard value >> UInt64(configuration.model.physicalAddressBits) == 0 else { return false }
        let index = Int(number - MSR.variableMemoryTypes)
        let isBase = index & 1 == 0
        guard value & (isBase ? 0xf00 : 0x7ff) == 0, !isBase || isType else { return false }
        state.pointee.mtrrVariable[index] = value
        return true
    }

    /// Whether each byte of `value` is a number whose bit is set in `allowed`.
    private static func bytes(of value: UInt64, areAmong allowed: UInt8) -> Bool {
        (0..<8).allSatisfy { index in
            let byte = value >> UInt64(index * 8) & 0xff
            return byte < 8 && allowed >> UInt8(byte) & 1 != 0
        }
    }
}
