// SPDX-License-Identifier: Apache-2.0

/// Numbers of model-specific registers (Intel SDM Vol 4, AMD APM Vol 2 appendix A).
enum MSR {
    static var p5Address: UInt32 { 0 }
    static var p5Type: UInt32 { 1 }
    static var timeStamp: UInt32 { 0x10 }
    static var platformID: UInt32 { 0x17 }
    static var apicBase: UInt32 { 0x1b }
    static var featureControl: UInt32 { 0x3a }
    static var timeStampAdjust: UInt32 { 0x3b }
    static var speculationControl: UInt32 { 0x48 }
    static var predictionCommand: UInt32 { 0x49 }
    static var microcodeUpdate: UInt32 { 0x79 }
    static var microcodeRevision: UInt32 { 0x8b }
    static var memoryTypeCapabilities: UInt32 { 0xfe }
    static var architecturalCapabilities: UInt32 { 0x10a }
    static var sysenterCS: UInt32 { 0x174 }
    static var sysenterESP: UInt32 { 0x175 }
    static var sysenterEIP: UInt32 { 0x176 }
    static var machineCheckCapabilities: UInt32 { 0x179 }
    static var machineCheckStatus: UInt32 { 0x17a }
    static var machineCheckControl: UInt32 { 0x17b }
    static var performanceStatus: UInt32 { 0x198 }
    static var miscEnable: UInt32 { 0x1a0 }
    static var debugControl: UInt32 { 0x1d9 }
    static var variableMemoryTypes: UInt32 { 0x200 }
    static var pageAttributes: UInt32 { 0x277 }
    static var defaultMemoryType: UInt32 { 0x2ff }
    static var machineCheckBanks: UInt32 { 0x400 }
    static var protectionKeys: UInt32 { 0x6e1 }
    static var timeStampDeadline: UInt32 { 0x6e0 }
    static var extendedAPIC: UInt32 { 0x800 }
    static var extendedState: UInt32 { 0xda0 }
    static var efer: UInt32 { 0xc000_0080 }
    static var star: UInt32 { 0xc000_0081 }
    static var longStar: UInt32 { 0xc000_0082 }
    static var compatibilityStar: UInt32 { 0xc000_0083 }
    static var flagMask: UInt32 { 0xc000_0084 }
    static var fsBase: UInt32 { 0xc000_0100 }
    static var gsBase: UInt32 { 0xc000_0101 }
    static var kernelGSBase: UInt32 { 0xc000_0102 }
    static var timeStampAux: UInt32 { 0xc000_0103 }
    static var systemConfiguration: UInt32 { 0xc001_0010 }
    static var hardwareConfiguration: UInt32 { 0xc001_0015 }

    /// Banks of machine-check registers.
    static var banks: UInt32 { 10 }
    /// Pairs of variable-range memory type registers.
    static var variableRanges: UInt32 { 8 }

    /// Which of the eleven fixed-range memory type registers `number` is, or nil.
    static func fixedMemoryType(_ number: UInt32) -> Int? {
        switch number {
        case 0x250: 0
        case 0x258, 0x259: Int(number - 0x257)
        case 0x268...0x26f: Int(number - 0x265)
        default: nil
        }
    }

    /// Registers that software reads before it knows whether they are there, and that hold nothing here: they read as
    /// zero, and writes are lost.
    static func isInert(_ number: UInt32, _ vendor: ProcessorVendor) -> Bool {
        switch number {
        case 0x2a, 0x2c, 0xce, 0x119, 0x11e, 0x140, 0x199...0x19c, 0x1a2, 0x1fc: vendor == .intel
        // The last branch records, which are never on.
        case 0x1db...0x1de: true
        // Performance counters, P-states, erratum registers and what else AMD's kernels look at.
        case 0xc001_0000...0xc001_0007, 0xc001_001f, 0xc001_0055, 0xc001_0058, 0xc001_0061...0xc001_0071, 0xc001_0112,
            0xc001_0113, 0xc001_0114, 0xc001_0117, 0xc001_0140, 0xc001_0141, 0xc001_1020...0xc001_1023, 0xc001_1029,
            0xc001_102a:
            vendor == .amd
        default: false
        }
    }
}
