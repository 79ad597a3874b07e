// SPDX-License-Identifier: Apache-2.0

/// The state of a processor as the guest believes it to be, then what engines scratch beside it.
///
/// It lies in one allocation aligned to 64 bytes, the mailbox behind it. Engines, generated code and other threads hold
/// its address, so fields are reached by pointer and their order is a contract: `ProcessorStateLayoutTests` pins the
/// offsets. Everything down to `retired` is architectural and is what a snapshot saves, field by field.
public struct ProcessorState {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15; then what engines address by: a zero, for an address without base
    /// or index, and what addresses relative to the instruction pointer count from.
    public var general = InlineArray<18, UInt64>(repeating: 0)
    /// The instruction pointer, an offset in CS; exact whenever no engine runs the processor.
    public var rip: UInt64 = 0
    /// RFLAGS but for CF, PF, AF, ZF, SF and OF, which are zero here: see `rflags`.
    public var systemFlags: UInt64 = RFlags.fixed
    /// The arithmetic flags, by what they follow from (`LazyFlags`): always exact, never in the other form.
    var lazyFlags = LazyFlags()

    /// ES, CS, SS, DS, FS, GS.
    public var segments = InlineArray<6, SegmentRegister>(repeating: SegmentRegister())
    public var ldtr = SegmentRegister()
    public var tr = SegmentRegister()
    public var gdtr = TableRegister()
    public var idtr = TableRegister()
    /// The current privilege level: SS's DPL, kept apart because it is asked often.
    public var privilege: UInt64 = 0

    public var cr0: UInt64 = 0
    public var cr2: UInt64 = 0
    public var cr3: UInt64 = 0
    public var cr4: UInt64 = 0
    public var xcr0: UInt64 = 1
    /// DR0 to DR3; DR6; DR7.
    public var debugAddresses = InlineArray<4, UInt64>(repeating: 0)
    public var dr6: UInt64 = 0xffff_0ff0
    public var dr7: UInt64 = 0x400
    /// The PDPTEs that a PAE CR3 load cached (Intel SDM Vol 3A §5.4.1).
    public var pdptes = InlineArray<4, UInt64>(repeating: 0)

    // Model-specific registers.
    public var efer: UInt64 = 0
    public var star: UInt64 = 0
    public var lstar: UInt64 = 0
    public var cstar: UInt64 = 0
    public var syscallMask: UInt64 = 0
    public var kernelGSBase: UInt64 = 0
    public var tscAux: UInt64 = 0
    public var sysenterCS: UInt64 = 0
    public var sysenterESP: UInt64 = 0
    public var sysenterEIP: UInt64 = 0
    public var pat: UInt64 = 0x0007_0406_0007_0406
    public var apicBase: UInt64 = 0xfee0_0900
    public var miscEnable: UInt64 = 1
    public var featureControl: UInt64 = 0
    public var debugControl: UInt64 = 0
    public var tscAdjust: UInt64 = 0
    /// What is added to the scaled clock to give the time-stamp counter.
    public var tscOffset: UInt64 = 0
    /// In ticks of the time-stamp counter; zero: disarmed.
    public var tscDeadline: UInt64 = 0
    /// MTRRdefType, then eleven fixed-range registers, then eight pairs of base and mask.
    public var mtrrDefaultType: UInt64 = 0
    public var mtrrFixed = InlineArray<11, UInt64>(repeating: 0)
    public var mtrrVariable = InlineArray<16, UInt64>(repeating: 0)
    /// IA32_SPEC_CTRL, IA32_XSS, IA32_PKRS.
    public var specControl: UInt64 = 0
    public var xss: UInt64 = 0
    public var pkrs: UInt64 = 0
    /// IA32_MCG_STATUS, IA32_MCG_CTL; the banks' control, status, address and misc registers.
    public var machineCheckStatus: UInt64 = 0
    public var machineCheckControl: UInt64 = 0
    public var machineCheckBanks = InlineArray<40, UInt64>(repeating: 0)
    /// MSR_SMI_COUNT's neighbour: IA32_SMBASE, kept for software that reads it back.
    public var smbase: UInt64 = 0x30000
    /// IA32_UCODE_REV as software wrote it back, IA32_BIOS_SIGN_ID's upper half otherwise.
    public var microcodeRevision: UInt64 = 0
    /// KVM's paravirtual registers: system time, wall clock, asynchronous faults, steal time, end of interrupt, poll.
    public var paravirtual = InlineArray<6, UInt64>(repeating: 0)
    public var pkru: UInt64 = 0

    // Floating point.
    /// ST's registers by their physical number: 64 bits of significand.
    public var x87Significands = InlineArray<8, UInt64>(repeating: 0)
    /// Their sign and exponent.
    public var x87Exponents = InlineArray<8, UInt16>(repeating: 0)
    /// Control, status (TOP in bits 13:11), and the tag word abridged: a bit a physical register, 1 when in use.
    public var x87Control: UInt16 = 0x40
    public var x87Status: UInt16 = 0
    public var x87Tags: UInt16 = 0
    /// The last instruction's opcode, 11 bits.
    public var x87Opcode: UInt16 = 0
    public var x87Instruction: UInt64 = 0
    public var x87Operand: UInt64 = 0
    /// Their segments, for the forms that save them.
    public var x87InstructionSelector: UInt16 = 0
    public var x87OperandSelector: UInt16 = 0
    public var mxcsr: UInt32 = 0x1f80
    /// YMM0 to YMM15, 32 bytes each: four 64-bit parts a register, the lowest first.
    public var vectors = InlineArray<64, UInt64>(repeating: 0)

    // What the processor is doing between instructions.
    public var activity = Activity.running
    /// Interrupts wait one more instruction: after STI, or after MOV SS and POP SS.
    public var shadow = InterruptShadow()
    /// An NMI is being handled: another waits for IRET.
    public var nmiBlocked = false
    public var nmiPending = false
    public var smiPending = false
    /// In system-management mode.
    public var systemManagement = false
    /// An event whose delivery another engine began.
    public var injected = PendingEvent()
    /// Instructions retired since reset.
    public var retired: UInt64 = 0

    // Engine scratch: nothing here survives a move to another engine.

    /// What is added to the instruction pointer to give a linear address: CS's base, zero in 64-bit mode.
    var codeBase: UInt64 = 0
    /// What fetch entries outside of 64-bit mode were made for.
    var legacyCodeBase: UInt64 = 0
    var legacyCodeLimit: UInt32 = 0
    /// The result of a slow load, or of another outlined operation.
    var result: UInt64 = 0
    /// The soft TLB's current set and generation, for what loads and stores may do now.
    var dataTLB: UInt = 0
    var dataGeneration: UInt64 = 0
    /// The same for instruction fetch.
    var fetchTLB: UInt = 0
    var fetchGeneration: UInt64 = 0

    /// A fresh state, as after power-on but for what `Processor.reset` sets.
    public init() {}

    /// RFLAGS as the guest sees it.
    public var rflags: UInt64 {
        @inline(__always)
        get { systemFlags | lazyFlags.bits }
        @inline(__always)
        set {
            systemFlags = newValue & ~RFlags.arithmetic | RFlags.fixed
            lazyFlags = LazyFlags(newValue)
        }
    }

    /// Code runs in 64-bit mode.
    @inline(__always)
    public var is64Bit: Bool { efer & EFER.lma != 0 && segments[1].rights.contains(.long) }
}

/// What a processor does while it has nothing to execute (Intel SDM Vol 3C §26.4.2).
public enum Activity: UInt8, Sendable {
    case running
    /// HLT: until an interrupt.
    case halted
    /// Until a machine-wide reset: a triple fault.
    case shutdown
    /// An application processor until its start-up IPI.
    case waitForStartup
}

/// What holds interrupts back for one instruction (Intel SDM Vol 3A §7.8.3, Vol 2 "STI").
public struct InterruptShadow: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static var sti: InterruptShadow { InterruptShadow(rawValue: 1) }
    /// Debug exceptions wait as well.
    public static var movSS: InterruptShadow { InterruptShadow(rawValue: 2) }
}

/// An interrupt or exception that is to be delivered before the next instruction.
public struct PendingEvent: Sendable {
    public enum Kind: UInt8, Sendable { case none, interrupt, nmi, exception, softwareInterrupt }
    public var kind = Kind.none
    public var vector: UInt8 = 0
    public var hasErrorCode = false
    /// A software interrupt's instruction length.
    public var length: UInt8 = 0
    public var errorCode: UInt32 = 0
    public init() {}
}
