// SPDX-License-Identifier: Apache-2.0

/// The state components that XSAVE knows, as XCR0 and XSTATE_BV number them (Intel SDM Vol 1 §13.1).
enum StateComponents {
    static var x87: UInt64 { 1 << 0 }
    static var sse: UInt64 { 1 << 1 }
    static var avx: UInt64 { 1 << 2 }
    static var protectionKeys: UInt64 { 1 << 9 }
    /// XCOMP_BV's mark of the compacted form.
    static var compacted: UInt64 { 1 << 63 }

    /// Where the extended components lie in the standard form; CPUID leaf 0DH says so too.
    static func standardOffset(_ component: UInt64) -> UInt64 { component == avx ? 576 : 2688 }

    /// Where they lie in an area compacted to `layout`, one behind the other.
    static func compactedOffset(_ component: UInt64, _ layout: UInt64) -> UInt64 {
        component == avx || layout & avx == 0 ? 576 : 832
    }

    /// The end of an area that holds `components`.
    static func size(_ components: UInt64, isCompacted: Bool) -> UInt64 {
        if components & protectionKeys != 0 {
            return (isCompacted ? compactedOffset(protectionKeys, components) : 2688) + 8
        }
        return components & avx != 0 ? 832 : 576
    }
}

extension Processor {
    /// XINUSE: the components that are not in their initial configuration (Intel SDM Vol 1 §13.6). MXCSR does not count.
    var stateComponentsInUse: UInt64 {
        var inUse: UInt64 = 0
        let current = state.pointee
        var x87 =
            current.x87Control != 0x37f || current.x87Status != 0 || current.x87Tags != 0 || current.x87Opcode != 0
            || current.x87Instruction != 0 || current.x87Operand != 0 || current.x87InstructionSelector != 0
            || current.x87OperandSelector != 0
        for index in 0..<8 where current.x87Significands[index] != 0 || current.x87Exponents[index] != 0 { x87 = true }
        if x87 { inUse |= StateComponents.x87 }
        for register in 0..<16 {
            let first = register * 4
            if current.vectors[first] | current.vectors[first + 1] != 0 { inUse |= StateComponents.sse }
            if current.vectors[first + 2] | current.vectors[first + 3] != 0 { inUse |= StateComponents.avx }
        }
        if current.pkru != 0 { inUse |= StateComponents.protectionKeys }
        return inUse
    }

    /// Gives `components` their initial configuration.
    func initialize(components: UInt64) {
        if components & StateComponents.x87 != 0 {
            initializeX87()
            for index in 0..<8 {
                state.pointee.x87Significands[index] = 0
                state.pointee.x87Exponents[index] = 0
            }
        }
        for register in 0..<accessibleVectors {
            if components & StateComponents.sse != 0 { setLowerLane(register, Lane()) }
            if components & StateComponents.avx != 0 { setUpperLane(register, Lane()) }
        }
        if components & StateComponents.protectionKeys != 0 { setProtectionKeys(0) }
    }

    /// How many vector registers the mode reaches.
    var accessibleVectors: UInt8 { state.pointee.is64Bit ? 16 : 8 }

    func setProtectionKeys(_ value: UInt64) {
        guard state.pointee.pkru != value & 0xffff_ffff else { return }
        state.pointee.pkru = value & 0xffff_ffff
        tlb.flush()
        contextChanged()
    }
}
