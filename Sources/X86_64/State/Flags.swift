// SPDX-License-Identifier: Apache-2.0

/// Bits of RFLAGS (Intel SDM Vol 1 §3.4.3).
public enum RFlags {
    public static var carry: UInt64 { 1 << 0 }
    /// Always one.
    public static var fixed: UInt64 { 1 << 1 }
    public static var parity: UInt64 { 1 << 2 }
    public static var auxiliary: UInt64 { 1 << 4 }
    public static var zero: UInt64 { 1 << 6 }
    public static var sign: UInt64 { 1 << 7 }
    public static var trap: UInt64 { 1 << 8 }
    public static var interrupt: UInt64 { 1 << 9 }
    public static var direction: UInt64 { 1 << 10 }
    public static var overflow: UInt64 { 1 << 11 }
    /// IOPL, two bits.
    public static var ioPrivilege: UInt64 { 3 << 12 }
    public static var nestedTask: UInt64 { 1 << 14 }
    public static var resume: UInt64 { 1 << 16 }
    public static var virtual8086: UInt64 { 1 << 17 }
    public static var alignmentCheck: UInt64 { 1 << 18 }
    public static var virtualInterrupt: UInt64 { 1 << 19 }
    public static var virtualInterruptPending: UInt64 { 1 << 20 }
    public static var identification: UInt64 { 1 << 21 }
    /// The six that arithmetic sets: `LazyFlags`.
    public static var arithmetic: UInt64 { carry | parity | auxiliary | zero | sign | overflow }
}

/// Bits of CR0 (Intel SDM Vol 3A §2.5).
public enum CR0 {
    public static var pe: UInt64 { 1 << 0 }
    public static var mp: UInt64 { 1 << 1 }
    public static var em: UInt64 { 1 << 2 }
    public static var ts: UInt64 { 1 << 3 }
    public static var et: UInt64 { 1 << 4 }
    public static var ne: UInt64 { 1 << 5 }
    public static var wp: UInt64 { 1 << 16 }
    public static var am: UInt64 { 1 << 18 }
    public static var nw: UInt64 { 1 << 29 }
    public static var cd: UInt64 { 1 << 30 }
    public static var pg: UInt64 { 1 << 31 }
}

/// Bits of CR4 (Intel SDM Vol 3A §2.5).
public enum CR4 {
    public static var vme: UInt64 { 1 << 0 }
    public static var pvi: UInt64 { 1 << 1 }
    public static var tsd: UInt64 { 1 << 2 }
    public static var de: UInt64 { 1 << 3 }
    public static var pse: UInt64 { 1 << 4 }
    public static var pae: UInt64 { 1 << 5 }
    public static var mce: UInt64 { 1 << 6 }
    public static var pge: UInt64 { 1 << 7 }
    public static var pce: UInt64 { 1 << 8 }
    public static var osfxsr: UInt64 { 1 << 9 }
    public static var osxmmexcpt: UInt64 { 1 << 10 }
    public static var umip: UInt64 { 1 << 11 }
    public static var la57: UInt64 { 1 << 12 }
    public static var fsgsbase: UInt64 { 1 << 16 }
    public static var pcide: UInt64 { 1 << 17 }
    public static var osxsave: UInt64 { 1 << 18 }
    public static var smep: UInt64 { 1 << 20 }
    public static var smap: UInt64 { 1 << 21 }
    public static var pke: UInt64 { 1 << 22 }
    public static var pks: UInt64 { 1 << 24 }
}

/// Bits of IA32_EFER (Intel SDM Vol 3A §2.2.1).
public enum EFER {
    public static var sce: UInt64 { 1 << 0 }
    public static var lme: UInt64 { 1 << 8 }
    public static var lma: UInt64 { 1 << 10 }
    public static var nxe: UInt64 { 1 << 11 }
    /// Fast FXSAVE: without the vector registers in 64-bit mode at CPL 0 (AMD APM Vol 2 §3.1.7).
    public static var ffxsr: UInt64 { 1 << 14 }
}
