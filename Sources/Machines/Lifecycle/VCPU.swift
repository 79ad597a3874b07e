// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization

/// What a vCPU's thread tells the machine around it.
protocol VCPUOwner: AnyObject, Sendable {
    /// A guest asked for something; the vCPU that did stands until the machine has decided.
    func guestRequests(_ request: MachineRequest)
    /// A vCPU stopped for the debugger; it stands.
    func debugStopped(vcpu: Int, _ stop: DebugStop)
    /// A vCPU has parked.
    func vcpuParked()
    /// The monotonic time of the vCPU's own timer, if it is armed.
    func timerDeadline(vcpu: Int) -> UInt64?
}

/// One processor and the thread that runs it.
///
/// The thread alone touches the processor while the vCPU runs; while it is parked whoever parked it may. Others reach it
/// by its mailbox and its gate: post first, then wake.
@safe
final class VCPU<Processor: GuestProcessor>: Sendable {
    let id: Int
    let mailbox: Mailbox
    let gate = WaitGate()
    /// What the governor of the host's processors sees of the thread.
    let thread = ProcessorThread()
    // SAFETY: see the type's comment: one thread at a time, handed over by `command`.
    nonisolated(unsafe) let processor: Processor
    nonisolated(unsafe) private let engine: any Engine<Processor>
    private let command = Atomic<VCPUCommand>(.parking)
    private let inEngine = Atomic<Bool>(false)
    /// What firmware below the guest keeps of the vCPU.
    let firmware: Processor.Firmware
    private let sample = LatestValue(VCPUSample<Processor.Counters>())
    private let samples = Atomic<UInt64>(0)
    // SAFETY: as for `processor`.
    nonisolated(unsafe) var local = Local()
    // SAFETY: written before the thread starts.
    nonisolated(unsafe) private weak var owner: (any VCPUOwner)?

    /// What the thread keeps for itself.
    struct Local {
        /// The processor waits for an interrupt.
        var isHalted = false
        /// The guest asked for something of the machine and does not go on.
        var isHeld = false
        var lastExit: VMExit?
        var exits = VCPUExits()
        /// What the processor retired and counted before its last reset.
        var retiredBefore: UInt64 = 0
        var countersBefore = Processor.Counters()
    }

    /// A vCPU for `processor`, to be run by `engine`.
    init(_ processor: Processor, engine: any Engine<Processor>, firmware: Processor.Firmware) {
        id = processor.number
        mailbox = processor.mailbox
        // SAFETY: stored, before there is a thread.
        unsafe self.processor = processor
        unsafe self.engine = engine
        self.firmware = firmware
        thread.connect(
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

    /// Whether the processor may be executing instructions: false means that it will look at its mailbox before the next.
    var mayExecute: Bool { inEngine.load(ordering: .sequentiallyConsistent) }

    /// What the thread last said of itself.
    var lastSample: VCPUSample<Processor.Counters> { sample.value }
    var sampleCount: UInt64 { samples.load(ordering: .acquiring) }

    // MARK: The thread

    /// The body of the vCPU's thread.
    func run() {
        thread.begin()
        defer { thread.end() }
        thread.wakes()
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
        thread.sleeps()
        while command.load(ordering: .acquiring) == .parked { gate.wait() }
        thread.wakes()
    }

    /// One way through the loop: sleeps, or runs the engine to one exit.
    private func turn() {
        // SAFETY: this is the thread; the vCPU runs.
        guard unsafe !local.isHeld else { return sleep(.paused, until: nil) }
        if Processor.isOffline(self) {
            guard Processor.bringOnline(self) else { return sleep(.offline, until: nil) }
        }
        if unsafe local.isHalted {
            // Without a timer of its own it sleeps until someone posts.
            guard mailbox.isEmpty else { return wakeUp() }
            return sleep(.halted, until: unsafe owner?.timerDeadline(vcpu: id))
        }
        // The governor's orders come with a request to stop, so that they are looked at here.
        if thread.hasOrders {
            thread.takePlace()
            if thread.isHeld { return waitForTurn() }
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
        // SAFETY: see `processor`.
        let exit = unsafe engine.run(processor)
        inEngine.store(false, ordering: .sequentiallyConsistent)
        return exit
    }

    private func sleep(_ activity: VCPUStatus.Activity, until deadline: UInt64?) {
        takeSample(activity)
        thread.sleeps()
        defer { thread.wakes() }
        // Who posted before this wakes the gate after it, and a wake-up before the wait ends the wait.
        if !gate.wait(untilMonotonic: deadline), deadline != nil { mailbox.post(.interrupt) }
    }

    /// Stands while other guests have the CPU or this one's cap is used up. It still counts as wanting to run.
    private func waitForTurn() {
        takeSample(.throttled)
        while thread.isHeld, command.load(ordering: .acquiring) == .running { gate.wait() }
    }

    private func wakeUp() {
        // SAFETY: as in `turn`.
        unsafe local.isHalted = false
        Processor.hasWoken(self)
    }

    /// The machine, for what exits ask of it.
    var machine: (any VCPUOwner)? { unsafe owner }  // SAFETY: set before the thread started.

    /// Stops the thread itself, as `park` would.
    func parkSelf() {
        _ = command.compareExchange(expected: .running, desired: .parking, ordering: .sequentiallyConsistent)
    }

    /// Says where the processor is. Does not wait for those who look.
    func takeSample(_ activity: VCPUStatus.Activity) {
        var taken = VCPUSample<Processor.Counters>()
        // SAFETY: as in `turn`, or parking.
        taken.pc = unsafe processor.programCounter
        taken.ring = unsafe processor.ring
        taken.lastExit = unsafe local.lastExit
        taken.activity = activity
        taken.retired = unsafe local.retiredBefore &+ processor.retired
        taken.counters = unsafe processor.counters.adding(local.countersBefore)
        taken.exits = unsafe local.exits
        sample.set(taken)
        samples.wrappingAdd(1, ordering: .releasing)
    }
}

/// What a vCPU's thread is to do, and whether it does. Only the thread itself goes from `parking` to `parked`.
enum VCPUCommand: UInt8, AtomicRepresentable {
    case running, parking, parked, leaving
}
