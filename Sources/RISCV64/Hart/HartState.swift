// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The state of a hart as the guest believes it to be, then what engines scratch beside it, then the mailbox.
///
/// It lies in one allocation aligned to 64 bytes. Engines, generated code and other threads hold its address, so fields
/// are reached by pointer and their order is a contract: `HartStateLayoutTests` pins the offsets. Everything down to
/// `retired` is architectural and is what a snapshot saves, field by field.
public struct HartState {
    /// x0 to x31, then the place where writes to x0 go.
    public var x = InlineArray<33, UInt64>(repeating: 0)
    /// The program counter, exact whenever no engine runs the hart.
    public var pc: UInt64 = 0
    /// f0 to f31, narrower values NaN-boxed (RISC-V Unpriv 20240411 §21.2).
    public var f = InlineArray<32, UInt64>(repeating: 0)
    /// fflags, bits 4:0, and frm, bits 7:5.
    public var fcsr: UInt64 = 0
    /// 0 U, 1 S, 3 M.
    public var privilege: UInt64 = 3

    public var mstatus: UInt64 = 0
    public var medeleg: UInt64 = 0
    public var mideleg: UInt64 = 0
    public var mie: UInt64 = 0
    /// The bits that software sets (SSIP, STIP, SEIP); lines and timers are added when it is read.
    public var mip: UInt64 = 0
    public var mtvec: UInt64 = 0
    public var mepc: UInt64 = 0
    public var mcause: UInt64 = 0
    public var mtval: UInt64 = 0
    public var mscratch: UInt64 = 0
    public var mcounteren: UInt64 = 0
    public var menvcfg: UInt64 = 0
    public var stvec: UInt64 = 0
    public var sepc: UInt64 = 0
    public var scause: UInt64 = 0
    public var stval: UInt64 = 0
    public var sscratch: UInt64 = 0
    public var satp: UInt64 = 0
    public var scounteren: UInt64 = 0
    public var senvcfg: UInt64 = 0
    /// In timebase ticks (Sstc); all ones: never.
    public var stimecmp: UInt64 = .max
    /// pmpcfg0 and pmpcfg2: a byte an entry.
    public var pmpcfg = InlineArray<2, UInt64>(repeating: 0)
    public var pmpaddr = InlineArray<16, UInt64>(repeating: 0)
    /// What is added to the count of retired instructions to give mcycle and minstret.
    public var cycleOffset: UInt64 = 0
    public var instretOffset: UInt64 = 0
    /// Instructions retired since reset.
    public var retired: UInt64 = 0

    // Engine scratch: nothing here survives a move to another engine.

    /// LR's reservation: the host address with bit 0 set for 8 bytes, or all ones for none, and what was loaded from
    /// it. A reservation may be lost at any time (RISC-V Unpriv 20240411 §13.2), so it does not move.
    var reservedAddress: UInt64 = .max
    var reservedValue: UInt64 = 0

    /// Where PMP allows everything to S and U, and to M: from an address on, and so many bytes further
    /// (`Hart.pmpChanged`).
    var openFrom: UInt64 = .max
    var openSpan: UInt64 = 0
    var openFromMachine: UInt64 = 0
    var openSpanMachine: UInt64 = .max
    /// The result of a slow load, or of another outlined operation.
    var result: UInt64 = 0
    /// The soft TLB's current set and generation, for the privilege that loads and stores have now.
    var dataTLB: UInt = 0
    var dataGeneration: UInt64 = 0
    /// The same for instruction fetch.
    var fetchTLB: UInt = 0
    var fetchGeneration: UInt64 = 0

    /// A fresh state, all zero but for what reset defines.
    public init() {}
}

/// The privilege a hart runs at (RISC-V Priv 1.13 §1.2).
public enum Privilege: UInt64, Sendable, Comparable {
    case user = 0
    case supervisor = 1
    case machine = 3

    public static func < (left: Privilege, right: Privilege) -> Bool { left.rawValue < right.rawValue }
}
