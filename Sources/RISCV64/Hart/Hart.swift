// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// Arms the timer behind Sstc: the board posts `interrupt` to the hart's mailbox when the time has come.
public protocol HartTimer: AnyObject, Sendable {
    /// Replaces the deadline of hart `hart`, in nanoseconds of virtual time; nil: none.
    func arm(hart: Int, deadline: UInt64?)
}

/// One hart: its state, and everything an engine needs around it. It executes nothing itself.
///
/// Only the thread that runs it, or anyone while it is stopped, touches a hart; other threads use `mailbox`.
public final class Hart {
    /// What is fixed for the life of a hart.
    public struct Configuration: Sendable {
        /// mhartid.
        public var id: Int
        /// Ticks a second of `time`; a divisor of 1,000,000,000.
        public var timebaseFrequency: UInt64
        /// `ecall` from S-mode leaves the engine with `VMExit.hypercall`: what lies below is the VMM's own SBI.
        public var supervisorCallsExit: Bool
        /// The most bytes that decoded instructions may take.
        public var codeCacheBytes: Int

        public init(
            id: Int, timebaseFrequency: UInt64 = 10_000_000, supervisorCallsExit: Bool = false,
            codeCacheBytes: Int = 24 << 20
        ) {
            self.id = id
            self.timebaseFrequency = timebaseFrequency
            self.supervisorCallsExit = supervisorCallsExit
            self.codeCacheBytes = codeCacheBytes
        }
    }

    public let configuration: Configuration
    /// The machine's RAM.
    public let memory: GuestMemory
    /// Through which everything nondeterministic comes.
    public let door: any InputDoor
    /// How other threads reach the hart.
    public let mailbox: Mailbox
    /// What Sstc arms.
    public let timer: any HartTimer
    /// Event counts since reset, for statistics.
    public internal(set) var counters = HartCounters()
    /// Breakpoints, watchpoints, stepping: set while the hart is stopped.
    public var debug = HartDebug() {
        didSet { debugChanged() }
    }
    /// Hears of exceptions, interrupts and changes of privilege; nil costs nothing.
    public var tracer: (any HartTracer)?

    let state: HartPointer
    let tlb: TranslationCache
    let code: CodeCache
    /// Holds what `tlb` and `code` lie in.
    private let caches: EngineMemory
    /// Nanoseconds a tick of `time`.
    let nanosecondsPerTick: UInt64
    /// What a debugger's watchpoint saw during the current instruction.
    var watchHit: DebugStop?
    /// The exit that an outlined instruction asked for (`Outcome.leave`).
    var leaving = VMExit.requested
    /// `pause` hints since the last one that gave up the host's core.
    var spins = 0

    /// How many bytes the caches of a hart take at most: its soft TLB, then its decoded code.
    public static func cacheBytes(_ configuration: Configuration) -> Int {
        TranslationCache.bytes + CodeCache.bytes(limit: configuration.codeCacheBytes)
    }

    /// A hart in its reset state, PC 0. Its caches lie in `caches`, of `cacheBytes(_:)`, or anywhere.
    public init(
        _ configuration: Configuration, memory: GuestMemory, door: any InputDoor, timer: any HartTimer,
        caches: EngineMemory? = nil
    ) {
        precondition(
            configuration.timebaseFrequency > 0 && 1_000_000_000 % configuration.timebaseFrequency == 0,
            "a tick of the timebase is a whole number of nanoseconds")
        self.configuration = configuration
        self.memory = memory
        self.door = door
        self.timer = timer
        self.state = HartPointer.allocate()
        self.mailbox = state.mailbox
        let caches = caches ?? HeapMemory.make(Hart.cacheBytes(configuration), zeroed: TranslationCache.bytes)
        precondition(caches.size >= Hart.cacheBytes(configuration), "a hart's caches fit into their memory")
        self.caches = caches
        // SAFETY: `cacheBytes` zeroed bytes, kept by `caches`: first the one, then the other.
        self.tlb = unsafe TranslationCache(in: caches.start)
        self.code = unsafe CodeCache(
            in: caches.start + TranslationCache.bytes, bytes: caches.size - TranslationCache.bytes)
        self.nanosecondsPerTick = 1_000_000_000 / configuration.timebaseFrequency
        reset(pc: 0)
    }

    deinit { state.free() }

    /// Back to the state after reset (RISC-V Priv 1.13 §3.4), then at `pc` in `privilege` with a0 and a1 as boot
    /// protocols pass them. Breakpoints and counters stay; cached translations and code go.
    public func reset(pc: UInt64, privilege: Privilege = .machine, a0: UInt64 = 0, a1: UInt64 = 0) {
        state.pointee = HartState()
        state.pointee.pc = pc & ~1
        state.pointee.privilege = privilege.rawValue
        state.pointee.mstatus = MStatus.reset
        // Svadu: hardware A/D update is on until firmware clears it; bare programs rely on it.
        state.pointee.menvcfg = MEnvCfg.adue
        state.setX(10, a0)
        state.setX(11, a1)
        counters = HartCounters()
        timer.arm(hart: configuration.id, deadline: nil)
        tlb.flush()
        code.flush()
        contextChanged()
        debugChanged()
    }

    // MARK: Registers, for boot protocols, the SBI, debuggers and snapshots

    /// x0 to x31. Writing x0 does nothing.
    public subscript(x index: Int) -> UInt64 {
        get { state.x(index & 31) }
        set { if index & 31 != 0 { state.setX(index & 31, newValue) } }
    }

    /// f0 to f31, as their 64 bits.
    public subscript(f index: Int) -> UInt64 {
        get { state.f(index & 31) }
        set { state.setF(index & 31, newValue) }
    }

    /// The program counter.
    public var pc: UInt64 {
        get { state.pointee.pc }
        set { state.pointee.pc = newValue & ~1 }
    }

    /// The ring the hart runs in.
    public var privilege: Privilege { Privilege(rawValue: state.pointee.privilege) ?? .machine }

    /// Instructions retired since reset.
    public var retired: UInt64 { state.pointee.retired }

    /// Ticks of `time` now.
    public var time: UInt64 { door.time() / nanosecondsPerTick &+ door.timeOffset() }
}

/// Memory for caches where nobody cares where it lies.
@safe
private final class HeapMemory: Sendable {
    // SAFETY: allocated in init, freed in deinit.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer

    private init(_ size: Int, zeroed: Int) {
        unsafe start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: zeroed)
    }

    deinit { unsafe start.deallocate() }  // SAFETY: see `start`.

    static func make(_ size: Int, zeroed: Int) -> EngineMemory {
        let owner = HeapMemory(size, zeroed: zeroed)
        // SAFETY: `size` bytes that the object keeps.
        return unsafe EngineMemory(start: owner.start, size: size, owner: owner)
    }
}

/// Event counts of one hart.
public struct HartCounters: Sendable {
    public var exceptions: UInt64 = 0
    public var interrupts: UInt64 = 0
    /// Page walks because the soft TLB had no entry.
    public var tlbMisses: UInt64 = 0
    /// Pages of code whose instructions were decoded.
    public var codePages: UInt64 = 0
    /// Accesses that went to the bus.
    public var busAccesses: UInt64 = 0
    /// `wfi` that had to wait.
    public var waits: UInt64 = 0
    public init() {}
}

/// Hears what happens at the rings' borders, on the hart's own thread.
public protocol HartTracer: AnyObject, Sendable {
    /// The hart goes from one privilege to another at `pc`; `cause` is the mcause of a trap, nil for a return.
    func transition(hart: Int, from: Privilege, to: Privilege, pc: UInt64, cause: UInt64?, value: UInt64)
}
