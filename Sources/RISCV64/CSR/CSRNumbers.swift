// SPDX-License-Identifier: Apache-2.0

/// The numbers of the CSRs (RISC-V Priv 1.13 §2.2; Unpriv 20240411 §8, §20.2).
public enum CSR {
    public static var fflags: Int { 0x001 }
    public static var frm: Int { 0x002 }
    public static var fcsr: Int { 0x003 }

    public static var sstatus: Int { 0x100 }
    public static var sie: Int { 0x104 }
    public static var stvec: Int { 0x105 }
    public static var scounteren: Int { 0x106 }
    public static var senvcfg: Int { 0x10a }
    public static var sscratch: Int { 0x140 }
    public static var sepc: Int { 0x141 }
    public static var scause: Int { 0x142 }
    public static var stval: Int { 0x143 }
    public static var sip: Int { 0x144 }
    public static var stimecmp: Int { 0x14d }
    public static var satp: Int { 0x180 }

    public static var mstatus: Int { 0x300 }
    public static var misa: Int { 0x301 }
    public static var medeleg: Int { 0x302 }
    public static var mideleg: Int { 0x303 }
    public static var mie: Int { 0x304 }
    public static var mtvec: Int { 0x305 }
    public static var mcounteren: Int { 0x306 }
    public static var menvcfg: Int { 0x30a }
    public static var mcountinhibit: Int { 0x320 }
    public static var mhpmevent3: Int { 0x323 }
    public static var mhpmevent31: Int { 0x33f }
    public static var mscratch: Int { 0x340 }
    public static var mepc: Int { 0x341 }
    public static var mcause: Int { 0x342 }
    public static var mtval: Int { 0x343 }
    public static var mip: Int { 0x344 }
    public static var pmpcfg0: Int { 0x3a0 }
    public static var pmpcfg2: Int { 0x3a2 }
    public static var pmpcfg4: Int { 0x3a4 }
    public static var pmpcfg14: Int { 0x3ae }
    public static var pmpaddr0: Int { 0x3b0 }
    public static var pmpaddr15: Int { 0x3bf }
    public static var pmpaddr16: Int { 0x3c0 }
    public static var pmpaddr63: Int { 0x3ef }
    public static var tselect: Int { 0x7a0 }
    public static var tdata1: Int { 0x7a1 }
    public static var tdata2: Int { 0x7a2 }
    public static var tdata3: Int { 0x7a3 }
    public static var mcycle: Int { 0xb00 }
    public static var minstret: Int { 0xb02 }
    public static var mhpmcounter3: Int { 0xb03 }
    public static var mhpmcounter31: Int { 0xb1f }

    public static var cycle: Int { 0xc00 }
    public static var time: Int { 0xc01 }
    public static var instret: Int { 0xc02 }
    public static var hpmcounter3: Int { 0xc03 }
    public static var hpmcounter31: Int { 0xc1f }
    public static var mvendorid: Int { 0xf11 }
    public static var marchid: Int { 0xf12 }
    public static var mimpid: Int { 0xf13 }
    public static var mhartid: Int { 0xf14 }
    public static var mconfigptr: Int { 0xf15 }

    /// MXL 64, and A B C D F I M S U.
    static var misaValue: UInt64 {
        2 << 62 | 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 12 | 1 << 18 | 1 << 20
    }
}
