// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64
import Synchronization

/// What a vCPU's thread tells the machine around it.
protocol VCPUOwner: AnyObject, Sendable {
    /// `hart` called its SBI.
    func answer(_ call: SBICall) -> SBIOutcome
    /// A legacy SBI call whose hart mask has been read.
    func answer(_ call: SBICall, legacyMask: UInt64) -> SBIOutcome
    /// A guest asked for something; the hart that did stands until the machine has decided.
    func guestRequests(_ request: MachineRequest)
    /// A hart stopped for the debugger; it stands.
    func debugStopped(hart: Int, _ stop: DebugStop)
    /// A vCPU has parked.
    func vcpuParked()
    /// The monotonic time of the hart's own timer, if it is armed.
    func timerDeadline(hart: Int) -> UInt64?
}

/// One hart and the thread that runs it.
///
/// The thread alone touches the hart while the vCPU runs; while it is parked whoever parked it may. Others reach it by
/// its mailbox and its gate: post first, then wake.
@safe
final class VCPU: Sendable {
    /// What the thread is to do, and whether it does. Only the thread itself goes from `parking` to `parked`.
    enum Command: UInt8, AtomicRepresentable {
        case running, parking, parked, leaving
    }

    let id: Int
    let mailbox: Mailbox
    let gate = WaitGate()
    /// What the governor of the host's processors sees of the thread.
    let processor = ProcessorThread()
    // SAFETY: see the type's comment: one thread at a time, handed over by `command`.
    nonisolated(unsafe) let hart: Hart
    nonisolated(unsafe) private let engine: any Engine<Hart>
    private let command = Atomic<Command>(.parking)
    private let inEngine = Atomic<Bool>(false)
    private let hartState: Mutex<HartState>
    private let sample = Mutex(VCPUSample())
    private let samples = Atomic<UInt64>(0)
    // SAFETY: as for `hart`.
    nonisolated(unsafe) var local = Local()
    // SAFETY: written before the thread starts.
    nonisolated(unsafe) private weak var owner: (any VCPUOwner)?

    struct HartState {
        var state: SBIHartState
        var entry: SBIEntry?
    }

    /// What the thread keeps for itself.
    struct Local {
        /// The hart is in `wfi`.
        var isHalted = false
        /// Not started, or stopped: waits for an entry.
        var isOffline = false
        /// Where a suspended hart goes on, if not after its call.
        var resumeEntry: SBIEntry?
        /// The guest asked for something of the machine and does not go on.
        var isHeld = false
        var lastExit: VMExit?
        var exits = VCPUSample.Exits()
        /// What the hart retired and counted before its last reset.
        var retiredBefore: UInt64 = 0
        var countersBefore = HartCounters()
    }

    /// A vCPU for `hart`, to be run by `engine`.
    init(_ hart: Hart, engine: any Engine<Hart>) {
        id = hart.configuration.id
        mailbox = hart.mailbox
        // SAFETY: stored, before there is a thread.
        unsafe self.hart = hart
        unsafe self.engine = engine
        hartState = Mutex(HartState(state: .stopped))
        processor.connect(
            interrupt: { [mailbox] in mailbox.post(.stop) },
            release: { [gate] in gate.wake() })
    }

    // MARK: From other threads

    /// Tells the vCPU whom to ask; once, before its thread starts.
    func connect(_ owner: any VCPUOwner) {
        // SAFETY: before the thread starts.
        unsafe self.owner = owner
    }

    /// Asks the thread to park; `hasParked` says when it has.
    func park() {
        guard command.load(ordering: .acquiring) == .running else { return }
        command.store(.parking, ordering: .sequentiallyConsistent)
        mailbox.post(.stop)
        gate.wake()
    }

    var hasParked: Bool { command.load(ordering: .acquiring) == .parked }

    /// Lets a parked thread go on.
    func release() {
        command.store(.running, ordering: .releasing)
        gate.wake()
    }

    /// Makes the thread end.
    func leave() {
        command.store(.leaving, ordering: .sequentiallyConsistent)
        mailbox.post(.stop)
        gate.wake()
    }

    /// Posts and wakes.
    func interrupt() {
        mailbox.post(.interrupt)
        gate.wake()
    }

    /// Whether the hart may be executing instructions: false means that it will look at its mailbox before the next.
    var mayExecute: Bool { inEngine.load(ordering: .sequentiallyConsistent) }

    /// The state of the hart as the SBI tells it.
    var supervisorState: SBIHartState { hartState.withLock { $0.state } }

    /// Starts a stopped hart at `entry`; false where it is not stopped.
    func start(at entry: SBIEntry) -> Bool {
        let starts = hartState.withLock { hart in
            guard hart.state == .stopped else { return false }
            hart = HartState(state: .startPending, entry: entry)
            return true
        }
        if starts { gate.wake() }
        return starts
    }

    /// Sets the hart's state at reset; parked only.
    func setSupervisorState(_ state: SBIHartState) {
        hartState.withLock { $0 = HartState(state: state) }
    }

    /// What the thread last said of itself.
    var lastSample: VCPUSample { sample.withLock { $0 } }
    var sampleCount: UInt64 { samples.load(ordering: .acquiring) }

    // MARK: The thread

    /// The body of the vCPU's thread.
    func run() {
        processor.begin()
        defer { processor.end() }
        processor.wakes()
        while true {
            switch command.load(ordering: .acquiring) {
            case .leaving:
                takeSample(.paused)
                return
            case .parking, .parked: waitParked()
            case .running: turn()
            }
        }
    }

    private func waitParked() {
        takeSample(.paused)
        let (parks, _) = command.compareExchange(
            expected: .parking, desired: .parked, ordering: .sequentiallyConsistent)
        // SAFETY: set before the thread started.
        if parks { unsafe owner?.vcpuParked() }
        processor.sleeps()
        while command.load(ordering: .acquiring) == .parked { gate.wait() }
        processor.wakes()
    }

    /// One way through the loop: sleeps, or runs the engine to one exit.
    private func turn() {
        // SAFETY: this is the thread; the vCPU runs.
        guard unsafe !local.isHeld else { return sleep(.paused, until: nil) }
        if unsafe local.isOffline {
            guard bringOnline() else { return sleep(.offline, until: nil) }
        }
        if unsafe local.isHalted {
            // A hart in `wfi` without a timer of its own sleeps until someone posts.
            guard mailbox.isEmpty else { return wakeUp() }
            return sleep(.halted, until: unsafe owner?.timerDeadline(hart: id))
        }
        // The governor's orders come with a request to stop, so that they are looked at here.
        if processor.hasOrders {
            processor.takePlace()
            if processor.isHeld { return waitForTurn() }
        }
        let exit = runEngine()
        unsafe local.lastExit = exit
        unsafe local.exits.count(exit)
        handle(exit)
    }

    /// Runs the engine to one exit. For the thread, or for who parked it.
    func runEngine() -> VMExit {
        // Before the engine looks at the mailbox: who posts and then finds us out knows that we will see it.
        _ = inEngine.exchange(true, ordering: .sequentiallyConsistent)
        // SAFETY: see `hart`.
        let exit = unsafe engine.run(hart)
        inEngine.store(false, ordering: .sequentiallyConsistent)
        return exit
    }

    private func sleep(_ activity: VCPUStatus.Activity, until deadline: UInt64?) {
        takeSample(activity)
        processor.sleeps()
        defer { processor.wakes() }
        // Who posted before this wakes the gate after it, and a wake-up before the wait ends the wait.
        if !gate.wait(untilMonotonic: deadline), deadline != nil { mailbox.post(.interrupt) }
    }

    /// Stands while other guests have the CPU or this one's cap is used up. It still counts as wanting to run.
    private func waitForTurn() {
        takeSample(.throttled)
        while processor.isHeld, command.load(ordering: .acquiring) == .running { gate.wait() }
    }

    private func wakeUp() {
        // SAFETY: as in `turn`.
        unsafe local.isHalted = false
        hartState.withLock { if $0.state == .suspended { $0.state = .started } }
        guard let entry = unsafe local.resumeEntry else { return }
        unsafe local.resumeEntry = nil
        enterSupervisor(at: entry)
    }

    /// Takes up the entry that another hart has left; false where there is none.
    private func bringOnline() -> Bool {
        let entry = hartState.withLock { hart in
            guard hart.state == .startPending, let entry = hart.entry else { return SBIEntry?.none }
            hart = HartState(state: .started)
            return entry
        }
        guard let entry else { return false }
        // SAFETY: as in `turn`.
        unsafe local.isOffline = false
        enterSupervisor(at: entry)
        return true
    }

    /// Marks the hart stopped by its own call.
    func goOffline() {
        // SAFETY: as in `turn`.
        unsafe local.isOffline = true
        hartState.withLock { $0 = HartState(state: .stopped) }
    }

    /// Marks the hart suspended by its own call.
    func suspend(resumingAt entry: SBIEntry?) {
        // SAFETY: as in `turn`.
        unsafe local.isHalted = true
        unsafe local.resumeEntry = entry
        hartState.withLock { $0.state = .suspended }
    }

    /// The machine, for what exits ask of it.
    var machine: (any VCPUOwner)? { unsafe owner }  // SAFETY: set before the thread started.

    /// Stops the thread itself, as `park` would.
    func parkSelf() {
        _ = command.compareExchange(expected: .running, desired: .parking, ordering: .sequentiallyConsistent)
    }

    func takeSample(_ activity: VCPUStatus.Activity) {
        func take(_ sample: inout VCPUSample) {
            // SAFETY: as in `turn`, or parked.
            sample.pc = unsafe hart.pc
            sample.privilege = unsafe hart.privilege
            sample.lastExit = unsafe local.lastExit
            sample.activity = activity
            sample.retired = unsafe local.retiredBefore &+ hart.retired
            sample.counters = unsafe hart.counters.adding(local.countersBefore)
            sample.exits = unsafe local.exits
        }
        // Who looks holds the lock for as long as a copy takes, but may be off its core meanwhile: a vCPU that runs does
        // not wait for that, and tells the next time.
        if sample.withLockIfAvailable({ take(&$0) }) == nil {
            guard activity != .running else { return }
            sample.withLock { take(&$0) }
        }
        samples.wrappingAdd(1, ordering: .releasing)
    }
}
