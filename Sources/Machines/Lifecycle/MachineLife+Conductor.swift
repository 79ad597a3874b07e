// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization
import VMMemory

extension MachineLife {
    /// How long a crash's report may take to print after its first line, in milliseconds.
    private static var reportTime: UInt64 { 2000 }

    /// Loads the guest and starts all threads.
    func start() throws(MachineError) {
        let isFirst = shared.withLock { shared in
            guard shared.state == .ready else { return false }
            shared.state = .paused
            return true
        }
        guard isFirst else { throw .state("the machine was started before; make another one to start again") }
        do throws(MachineError) {
            try board.load()
            do throws(HostError) {
                try board.loop.start()
                try startThreads()
            } catch {
                throw .host(error.description)
            }
        } catch {
            abandon(error)
            throw error
        }
    }

    /// The threads come up parked; the conductor then lets them go.
    private func startThreads() throws(HostError) {
        try configuration.governor?.start(board.vcpus.map(\.thread))
        // SAFETY: the conductor does not run yet; it is started last.
        for vcpu in board.vcpus {
            let thread = try HostThread(name: "vcpu\(vcpu.id)", role: .vcpu) { vcpu.run() }
            unsafe local.threads.append(thread)
        }
        let conductor = try HostThread(name: "conductor") { self.conduct() }
        shared.withLock { $0.conductor = conductor }
    }

    /// The conductor's thread.
    private func conduct() {
        awaitParked()
        if !configuration.startsPaused { resumeVCPUs() }
        configuration.onEvent(.state(state))
        board.begin(self)
        pollMemory()
        while true {
            while let (command, done) = takeCommand() {
                if case .visit(let over) = command {
                    receive(done, until: over)
                    continue
                }
                if let end = execute(command) {
                    finish(end, done)
                    return
                }
                done?.wake()
            }
            bell.wait()
        }
    }

    private func takeCommand() -> (LifeCommand, WaitGate?)? {
        shared.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
    }

    /// Performs `command`; the end, if it is one.
    private func execute(_ command: LifeCommand) -> MachineEnd? {
        switch command {
        case .pause: changePaused(true)
        case .resume: return resume()
        case .reset: return restart()
        case .stop: return .stopped
        case .guestRequest(let request): return answer(request)
        case .panicFound(let text): notePanic(text)
        case .panicReported: return settlePanic()
        case .debugStop(let vcpu, let stop): noteStop(vcpu, stop)
        // SAFETY: the conductor's own.
        case .keepStanding(let vcpus): unsafe local.standing = vcpus
        case .fail(let error): return .failed(error)
        case .visit: preconditionFailure("a visit is received, not executed")
        }
        return nil
    }

    // MARK: Running and standing

    private func setState(_ new: MachineState) {
        let changed = shared.withLock { shared in
            guard shared.state != new else { return false }
            shared.state = new
            return true
        }
        if changed { configuration.onEvent(.state(new)) }
    }

    private func changePaused(_ pauses: Bool) {
        guard pauses != (state == .paused) else { return }
        if pauses {
            parkVCPUs()
            setState(.paused)
        } else {
            resumeVCPUs()
            configuration.onEvent(.state(.running))
        }
    }

    /// The barrier: afterwards no vCPU executes, no request is under way, and virtual time stands.
    private func parkVCPUs() {
        for vcpu in board.vcpus { vcpu.park() }
        awaitParked()
        board.clock.stop()
        board.quiesce()
    }

    private func awaitParked() {
        while !board.vcpus.allSatisfy(\.hasParked) { parkBell.wait() }
    }

    private func resumeVCPUs() {
        shared.withLock { $0.state = .running }
        board.clock.start()
        board.timers.resume()
        board.admit()
        _ = startCPU.compareExchange(expected: 0, desired: MonotonicTime.processCPU, ordering: .relaxed)
        // SAFETY: the conductor's own.
        let standing = unsafe local.standing
        for vcpu in board.vcpus where standing >> UInt64(vcpu.id) & 1 == 0 {
            vcpu.mailbox.withdraw(.stop)
            vcpu.release()
        }
    }

    private func resume() -> MachineEnd? {
        // SAFETY: the conductor's own.
        if unsafe !local.laterStops.isEmpty {
            let (vcpu, stop) = unsafe local.laterStops.removeFirst()
            configuration.onEvent(.debugStop(hart: vcpu, stop))
            return nil
        }
        // SAFETY: as above. Who looks at a crashed machine and lets it go wants to see it go on.
        unsafe local.panic = nil
        changePaused(false)
        return nil
    }

    /// Lets a visitor in, who works on its own thread.
    private func receive(_ visitor: WaitGate?, until over: WaitGate) {
        let wasRunning = state == .running
        if wasRunning { parkVCPUs() }
        visitor?.wake()
        over.wait()
        if wasRunning { resumeVCPUs() }
    }

    private func noteStop(_ vcpu: Int, _ stop: DebugStop) {
        guard state == .running else {
            // A breakpoint is met again when the vCPU goes on; a watched access has been made and is not.
            // SAFETY: the conductor's own.
            if case .watchpoint = stop { unsafe local.laterStops.append((vcpu, stop)) }
            return
        }
        changePaused(true)
        configuration.onEvent(.debugStop(hart: vcpu, stop))
    }

    // MARK: What guests ask for

    private func answer(_ request: MachineRequest) -> MachineEnd? {
        // SAFETY: the conductor's own. A crashed system that resets or powers off has finished its report.
        if unsafe local.panic != nil, let end = settlePanic() { return end }
        switch request {
        case .powerOff(let code): return .poweredOff(code: code)
        case .reset: return configuration.onReset == .exit ? .reset : restart()
        case .panic:
            notePanic("the guest's panic device")
            return settlePanic()
        }
    }

    private func notePanic(_ text: String) {
        // SAFETY: the conductor's own.
        guard unsafe local.panic == nil else { return }
        unsafe local.panic = text
        configuration.onEvent(.panicked(text))
        // The line is the report's first; the rest is worth waiting for.
        let deadline = MonotonicTime.after(milliseconds: Self.reportTime)
        board.loop.schedule(at: deadline) { [weak self] in self?.post(.panicReported) }
    }

    private func settlePanic() -> MachineEnd? {
        // SAFETY: the conductor's own.
        guard let text = unsafe local.panic else { return nil }
        switch configuration.onPanic {
        case .exit: return .panicked(text)
        case .reboot: return restart()
        case .pause:
            // Noted until `resume()`, so that the same crash is not reported twice.
            changePaused(true)
            return nil
        }
    }

    // MARK: Reset

    private func restart() -> MachineEnd? {
        let wasRunning = state == .running
        if wasRunning { parkVCPUs() }
        forgetGuest()
        // SAFETY: the conductor's own.
        unsafe local.panic = nil
        unsafe local.laterStops = []
        do throws(MachineError) {
            try board.reset()
            try board.load()
        } catch {
            return .failed(error)
        }
        shared.withLock { $0.resets += 1 }
        configuration.onEvent(.restarted)
        if wasRunning { resumeVCPUs() }
        return nil
    }

    /// What the guest asked for before the reset died with it. All vCPUs stand, so that nothing more of it comes.
    private func forgetGuest() {
        shared.withLock { shared in
            shared.queue.removeAll { entry in
                switch entry.command {
                case .guestRequest, .panicFound, .panicReported: true
                default: false
                }
            }
        }
    }

    // MARK: The end

    private func finish(_ end: MachineEnd, _ done: WaitGate?) {
        // Orderly: no request of the guest's is under way when the disks are closed.
        if state == .running { parkVCPUs() }
        tearDown()
        let (gates, waiters) = shared.withLock { shared in
            shared.state = .ended
            shared.end = end
            defer {
                shared.queue = []
                shared.waiters = []
            }
            return (shared.queue.compactMap(\.done), shared.waiters)
        }
        configuration.onEvent(.state(.ended))
        configuration.onEvent(.ended(end))
        for gate in gates + waiters { gate.wake() }
        done?.wake()
    }

    /// A start that failed: nothing has run.
    private func abandon(_ error: MachineError) {
        tearDown()
        shared.withLock { shared in
            shared.state = .ended
            shared.end = .failed(error)
        }
    }

    private func tearDown() {
        for vcpu in board.vcpus { vcpu.leave() }
        // SAFETY: the conductor's own, or nobody else's any more.
        for thread in unsafe local.threads { thread.join() }
        unsafe local.threads = []
        configuration.governor?.stop()
        board.loop.stop()
        board.bay.close()
    }
}
