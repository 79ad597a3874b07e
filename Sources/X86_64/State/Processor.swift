// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// One x86-64 processor: its state, and everything an engine needs around it. It executes nothing itself.
///
/// Only the thread that runs it, or anyone while it is stopped, touches a processor; other threads use `mailbox`.
public final class Processor {
    /// What is fixed for the life of a processor.
    public struct Configuration: Sendable {
        /// The local APIC's initial identifier.
        public var id: Int
        /// What CPUID offers, and how the vendor's processors behave.
        public var model: CPUModel
        /// How many processors the machine has.
        public var count: Int
        /// Ticks a second of the time-stamp counter.
        public var tscFrequency: UInt64
        /// The most bytes that decoded instructions may take.
        public var codeCacheBytes: Int

        /// A processor of `model`, the first of `count`.
        public init(
            id: Int, model: CPUModel = CPUModel(), count: Int = 1, tscFrequency: UInt64 = 1_000_000_000,
            codeCacheBytes: Int = 48 << 20
        ) {
            self.id = id
            self.model = model
            self.count = count
            self.tscFrequency = tscFrequency
            self.codeCacheBytes = codeCacheBytes
        }
    }

    public let configuration: Configuration
    /// The machine's RAM.
    public let memory: GuestMemory
    /// Through which everything nondeterministic comes.
    public let door: any ProcessorDoor
    /// How other threads reach the processor.
    public let mailbox: Mailbox
    /// Event counts since reset, for statistics.
    public internal(set) var counters = ProcessorCounters()
    /// Breakpoints, watchpoints, stepping: set while the processor is stopped.
    public var debug = ProcessorDebug() {
        didSet { debugChanged() }
    }
    /// Hears of exceptions, interrupts and changes of privilege; nil costs nothing.
    public var tracer: (any ProcessorTracer)?
    /// The machine's other processors; nil where there are none.
    public var peers: (any ProcessorPeers)?

    let state: ProcessorPointer
    let tlb: TranslationCache
    let code: CodeCache
    /// Holds what `tlb` and `code` lie in.
    private let caches: EngineMemory
    /// The exception that an outlined function raised when it said so by nil, false or `Outcome.fault`.
    var fault = Fault.invalidOpcode
    /// What a debugger's watchpoint saw during the current instruction.
    var watchHit: DebugStop?
    /// The exit that an outlined instruction asked for (`Outcome.leave`).
    var leaving = VMExit.requested
    /// PAUSE hints since the last one that gave up the host's core.
    var spins = 0
    /// Breakpoints of DR0 to DR3 that the instruction under way has hit: DR6's bits 3:0.
    var debugHits: UInt64 = 0
    /// Whether a single-step trap follows the instruction under way, where TF as it was before does not say so.
    var trapFollows: Bool?
    /// The instruction under way loaded RF, which is for the next one.
    var loadedResume = false
    /// Something happened in an access that the loop is to look at before the next instruction: instructions that were
    /// decoded were overwritten, or `watchHit`.
    var needsAttention = false
    /// What the loop is left with where a form of it could not go on.
    var ending = Outcome.next
    /// `lockedWord` had nothing to answer because of a fault.
    var faulted = false

    /// How many bytes the caches of a processor take at most: its soft TLB, then its decoded code.
    public static func cacheBytes(_ configuration: Configuration) -> Int {
        TranslationCache.bytes + CodeCache.bytes(limit: configuration.codeCacheBytes)
    }

    /// A processor in its reset state. Its caches lie in `caches`, of `cacheBytes(_:)`, or anywhere.
    public init(
        _ configuration: Configuration, memory: GuestMemory, door: any ProcessorDoor, caches: EngineMemory? = nil
    ) {
        self.configuration = configuration
        self.memory = memory
        self.door = door
        self.state = ProcessorPointer.allocate()
        self.mailbox = state.mailbox
        let caches = caches ?? HeapMemory.make(Processor.cacheBytes(configuration), zeroed: TranslationCache.bytes)
        precondition(caches.size >= Processor.cacheBytes(configuration), "a processor's caches fit into their memory")
        self.caches = caches
        // SAFETY: `cacheBytes` zeroed bytes, kept by `caches`: first the one, then the other.
        self.tlb = unsafe TranslationCache(in: caches.start)
        self.code = unsafe CodeCache(
            in: caches.start + TranslationCache.bytes, bytes: caches.size - TranslationCache.bytes)
        reset()
    }

    deinit { state.free() }

    /// Raises `fault`: what the caller hands back then says so.
    @inline(never)
    func raise(_ fault: Fault) -> Outcome {
        self.fault = fault
        return .fault
    }

    /// The same for functions that say it by nil.
    @inline(never)
    func refuse<T>(_ fault: Fault) -> T? {
        self.fault = fault
        return nil
    }

    // MARK: Registers, for boot protocols, debuggers and snapshots

    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.
    public subscript(general index: Int) -> UInt64 {
        get { state.r64(UInt8(index & 15)) }
        set { state.setR64(UInt8(index & 15), newValue) }
    }

    /// The instruction pointer.
    public var rip: UInt64 {
        get { state.pointee.rip }
        set { state.pointee.rip = newValue }
    }

    /// RFLAGS. Its bits are taken as they are; only bit 1 is always one.
    public var rflags: UInt64 {
        get { state.pointee.rflags }
        set { state.pointee.rflags = newValue }
    }

    /// All of the state, for reading and for moving it between engines. Whoever writes calls `stateChanged()`.
    public var registers: ProcessorState {
        @inline(__always)
        unsafeAddress {
            // SAFETY: lives as long as the processor.
            unsafe UnsafePointer(state.address)
        }
        @inline(__always)
        unsafeMutableAddress {
            // SAFETY: as above.
            unsafe state.address
        }
    }

    /// The registers were written from outside: nothing that was derived from them may go on being used.
    public func stateChanged() {
        tlb.flush()
        contextChanged()
    }

    /// Instructions retired since reset.
    public var retired: UInt64 { state.pointee.retired }
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

/// Event counts of one processor.
public struct ProcessorCounters: Sendable {
    public var exceptions: UInt64 = 0
    public var interrupts: UInt64 = 0
    /// Page walks because the soft TLB had no entry.
    public var tlbMisses: UInt64 = 0
    /// Pages of code whose instructions were decoded.
    public var codePages: UInt64 = 0
    /// Pages whose decoded instructions were dropped because their bytes changed.
    public var codeDrops: UInt64 = 0
    /// Accesses that went to the bus, and to ports.
    public var busAccesses: UInt64 = 0
    public var portAccesses: UInt64 = 0
    /// HLT that had to wait.
    public var waits: UInt64 = 0
    public init() {}
}

/// Hears what happens at the rings' borders, on the processor's own thread.
public protocol ProcessorTracer: AnyObject, Sendable {
    /// The processor goes from one privilege level to another at `rip`; `vector` is that of an exception or interrupt,
    /// nil for a call or return.
    func transition(processor: Int, from: UInt8, to: UInt8, rip: UInt64, vector: UInt8?, code: UInt32)
}
