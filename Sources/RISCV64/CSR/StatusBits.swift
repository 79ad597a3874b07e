// SPDX-License-Identifier: Apache-2.0

/// Fields of mstatus and sstatus (RISC-V Priv 1.13 §3.1.6, §12.1.1).
enum MStatus {
    static var sie: UInt64 { 1 << 1 }
    static var mie: UInt64 { 1 << 3 }
    static var spie: UInt64 { 1 << 5 }
    static var mpie: UInt64 { 1 << 7 }
    static var spp: UInt64 { 1 << 8 }
    static var mpp: UInt64 { 3 << 11 }
    static var mppShift: UInt64 { 11 }
    static var fs: UInt64 { 3 << 13 }
    static var mprv: UInt64 { 1 << 17 }
    static var sum: UInt64 { 1 << 18 }
    static var mxr: UInt64 { 1 << 19 }
    static var tvm: UInt64 { 1 << 20 }
    static var tw: UInt64 { 1 << 21 }
    static var tsr: UInt64 { 1 << 22 }
    static var sd: UInt64 { 1 << 63 }

    /// UXL and SXL: 64 bits, read-only.
    static var xl: UInt64 { 2 << 32 | 2 << 34 }
    /// The value after reset.
    static var reset: UInt64 { xl }
    /// What a write to mstatus changes.
    static var machineMask: UInt64 {
        sie | mie | spie | mpie | spp | mpp | fs | mprv | sum | mxr | tvm | tw | tsr
    }
    /// What a write to sstatus changes.
    static var supervisorMask: UInt64 { sie | spie | spp | fs | sum | mxr }
    /// What a read of sstatus shows.
    static var supervisorView: UInt64 { supervisorMask | sd | 3 << 32 }
}

/// Interrupt numbers and their bits in mip and mie (RISC-V Priv 1.13 §3.1.9).
enum InterruptBit {
    static var ssip: UInt64 { 1 << 1 }
    static var msip: UInt64 { 1 << 3 }
    static var stip: UInt64 { 1 << 5 }
    static var mtip: UInt64 { 1 << 7 }
    static var seip: UInt64 { 1 << 9 }
    static var meip: UInt64 { 1 << 11 }
    /// All that a supervisor may own.
    static var supervisor: UInt64 { ssip | stip | seip }
    static var all: UInt64 { supervisor | msip | mtip | meip }
}

/// Fields of menvcfg and senvcfg (RISC-V Priv 1.13 §3.1.18, §12.1.10).
enum MEnvCfg {
    static var fiom: UInt64 { 1 }
    static var cbie: UInt64 { 3 << 4 }
    static var cbcfe: UInt64 { 1 << 6 }
    static var cbze: UInt64 { 1 << 7 }
    static var adue: UInt64 { 1 << 61 }
    static var pbmte: UInt64 { 1 << 62 }
    static var stce: UInt64 { 1 << 63 }
    /// What a write to menvcfg changes.
    static var machineMask: UInt64 { fiom | cbie | cbcfe | cbze | adue | pbmte | stce }
    /// What a write to senvcfg changes.
    static var supervisorMask: UInt64 { fiom | cbie | cbcfe | cbze }
}

/// Synchronous exception codes (RISC-V Priv 1.13 §3.1.15).
public enum ExceptionCause: UInt64, Sendable {
    case instructionMisaligned = 0
    case instructionAccess = 1
    case illegalInstruction = 2
    case breakpoint = 3
    case loadMisaligned = 4
    case loadAccess = 5
    case storeMisaligned = 6
    case storeAccess = 7
    case callFromUser = 8
    case callFromSupervisor = 9
    case callFromMachine = 11
    case instructionPage = 12
    case loadPage = 13
    case storePage = 15

    /// Whether the instruction itself could not be had.
    var isFetch: Bool { self == .instructionAccess || self == .instructionPage || self == .instructionMisaligned }
}
