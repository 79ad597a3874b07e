// SPDX-License-Identifier: Apache-2.0

import Host
import Machines
import Synchronization

/// A machine within this process. Any thread or task may call it.
final class InProcessMachine: MachineBody {
    typealias State = VirtualMachine.State
    typealias Event = VirtualMachine.Event

    /// Why vCPUs stand that would run otherwise.
    struct Hold: OptionSet {
        let rawValue: Int
        /// Someone called `pause()`, or the machine paused itself on a panic.
        static let user = Hold(rawValue: 1)
        /// A debugger looks at the machine.
        static let debugger = Hold(rawValue: 2)
    }

    private struct Life {
        var hold: Hold = []
        var stopCause: StopCause?
        var end: VirtualMachineEnd?
        var isStarted = false
    }

    let configuration: VirtualMachineConfiguration
    /// The engine that runs, where the configuration left the choice.
    let engine: Engine
    /// The agent in the guest, where the configuration has a port for it.
    let agent: GuestAgent?
    /// Serves whoever controls the machine or looks at its console: no device and no vCPU waits for what is done there.
    let clients: ClientLoop

    let machine: any GuestMachine
    /// The machine's vCPUs, for debuggers and monitors.
    let inspection: any ProcessorInspection
    let devices: AssembledDevices
    let hub: EventHub
    private let life = Mutex(Life())
    private let debugger = Mutex<GDBServer?>(nil)
    /// Calls of the machine that wait for vCPUs are made here, one after the other, and never on a task's thread.
    private let control: ControlThread
    private let timer = Mutex<EventLoop.Timer?>(nil)

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    init(
        _ configuration: VirtualMachineConfiguration, in place: MachinePlace = MachinePlace()
    ) throws(VirtualMachineError) {
        try configuration.validate()
        self.configuration = configuration
        engine = try configuration.chosenEngine()
        hub = EventHub()
        do {
            clients = try ClientLoop()
        } catch {
            throw VirtualMachineError(error)
        }
        devices = try AssembledDevices(configuration, in: place, clients: clients)
        agent = devices.agent
        do {
            control = try ControlThread()
        } catch {
            devices.close()
            throw VirtualMachineError(error)
        }
        do {
            (machine, inspection) = try Self.makeMachine(configuration, devices, hub)
        } catch {
            devices.close()
            throw error
        }
        hub.connect { [weak self] event in self?.hear(event) }
        connectConsole()
    }

    private static func makeMachine(
        _ configuration: VirtualMachineConfiguration, _ devices: AssembledDevices, _ hub: EventHub
    ) throws(VirtualMachineError) -> (any GuestMachine, any ProcessorInspection) {
        switch configuration.platform {
        case .riscv64:
            let wanted = devices.virtConfiguration(configuration, hub: hub)
            do throws(MachineError) {
                let machine = try VirtMachine(wanted)
                return (machine, HartInspection(machine: machine))
            } catch {
                throw VirtualMachineError(error)
            }
        case .x86_64:
            let wanted = try devices.pcConfiguration(configuration, hub: hub)
            do throws(MachineError) {
                let machine = try PCMachine(wanted)
                return (machine, PCInspection(machine: machine))
            } catch {
                throw VirtualMachineError(error)
            }
        }
    }

    deinit { clients.loop.stop() }

    // MARK: Life

    /// Where the machine is in its life.
    var state: State { State(machine.state) }

    /// What happens from now on; ends after `Event.ended`. Each call is a listener of its own.
    var events: AsyncStream<Event> { hub.stream() }

    /// How the machine ended, once it has.
    var end: VirtualMachineEnd? { life.withLock(\.end) }

    func start() async throws(VirtualMachineError) { try await start {} }

    /// Switches on. `confine` is called when everything is open and served, before the first guest instruction.
    func start(
        confine: @escaping @Sendable () throws(VirtualMachineError) -> Void
    ) async throws(VirtualMachineError) {
        let isFirst = life.withLock { life in
            defer { life.isStarted = true }
            return !life.isStarted
        }
        guard isFirst else {
            throw VirtualMachineError(.state, "the machine was started before; make another one to start again")
        }
        try await onControl { () throws(VirtualMachineError) in
            do {
                try self.devices.start()
                if self.configuration.debugServer?.waits == true {
                    self.life.withLock { _ = $0.hold.insert(.debugger) }
                }
                if let server = self.configuration.debugServer { try self.startDebugServer(server) }
                try confine()
                try self.machine.start()
            } catch let error as MachineError {
                throw VirtualMachineError(error)
            } catch let error as VirtualMachineError {
                throw error
            } catch {
                throw VirtualMachineError(.host, "\(error)")
            }
        }
        try watchEnd()
        terminalResized()
        for place in devices.consoleNames { hub.tell(.console(place)) }
    }

    /// Stops all vCPUs and virtual time; without effect when paused.
    func pause() async throws(VirtualMachineError) {
        try await onControl { () throws(VirtualMachineError) in
            try self.checkRuns("pause")
            self.hold(.user)
        }
    }

    /// Goes on after `pause()`.
    func resume() async throws(VirtualMachineError) {
        try await onControl { () throws(VirtualMachineError) in
            try self.checkRuns("resume")
            guard self.release(.user) else {
                throw VirtualMachineError(.state, "a debugger holds the machine; continue it there")
            }
        }
    }

    /// Begins again from reset, without asking the guest.
    func reset() async throws(VirtualMachineError) {
        try await onControl { () throws(VirtualMachineError) in
            try self.checkRuns("reset")
            self.machine.reset()
        }
    }

    /// Ends the machine without asking the guest. `cause` is what `VirtualMachineEnd` will say.
    func stop(_ cause: StopCause) {
        life.withLock { if $0.stopCause == nil { $0.stopCause = cause } }
        devices.hurry()
        machine.stop()
    }

    /// Asks the guest to switch itself off, through the agent in it; ends the machine at once where there is none.
    /// A guest that is still there after `grace` is ended.
    func requestStop(_ cause: StopCause, grace: Duration) async {
        life.withLock { if $0.stopCause == nil { $0.stopCause = cause } }
        guard state == .running, let agent, agent.isReady, await agent.powerOff() else { return stop(cause) }
        let deadline = MonotonicTime.after(milliseconds: UInt64(max(0, grace.components.seconds)) * 1000)
        clients.loop.schedule(at: deadline) { [weak self] in self?.stop(cause) }
    }

    /// Waits for the end.
    func wait() async -> VirtualMachineEnd {
        for await event in hub.stream() {
            if case .ended(let end) = event { return end }
        }
        return end ?? VirtualMachineEnd(reason: .stopped(.caller))
    }

    private func checkRuns(_ what: String) throws(VirtualMachineError) {
        guard state == .running || state == .paused else {
            throw VirtualMachineError(.state, "the machine is \(state.rawValue): there is nothing to \(what)")
        }
    }

    // MARK: Holds

    /// Makes the vCPUs stand for `reason` too.
    func hold(_ reason: Hold) {
        life.withLock { _ = $0.hold.insert(reason) }
        machine.pause()
    }

    /// Takes `reason` away; true if the vCPUs run on.
    @discardableResult
    func release(_ reason: Hold) -> Bool {
        let isFree = life.withLock { life in
            life.hold.remove(reason)
            return life.hold.isEmpty
        }
        if isFree { machine.resume() }
        return isFree
    }

    // MARK: Events of the machine

    /// On a thread of the machine's: must not wait.
    private func hear(_ event: MachineEvent) {
        switch event {
        case .state(let state): hub.tell(.state(State(state)))
        case .restarted:
            agent?.machineRestarted()
            hub.tell(.restarted)
        case .panicked(let text):
            if configuration.onPanic == .pause { life.withLock { _ = $0.hold.insert(.user) } }
            debugger.withLock(\.self)?.machinePanicked()
            hub.tell(.panicked(text))
        case .debugStop(let hart, let stop):
            life.withLock { _ = $0.hold.insert(.debugger) }
            debugger.withLock(\.self)?.machineStopped(hart: hart, stop)
        case .ended: break  // `watchEnd` says so, once every thread of the machine's is gone
        }
    }

    private func watchEnd() throws(VirtualMachineError) {
        do {
            _ = try HostThread(name: "end") { self.finish(self.machine.waitForEnd()) }
        } catch {
            machine.stop()
            throw VirtualMachineError(.host, error.description)
        }
        if let timeout = configuration.timeout {
            let deadline = MonotonicTime.after(milliseconds: UInt64(timeout.components.seconds) * 1000)
            let armed = clients.loop.schedule(at: deadline) { [weak self] in self?.stop(.timeout) }
            timer.withLock { $0 = armed }
        }
    }

    private func finish(_ machineEnd: MachineEnd) {
        let cause = life.withLock(\.stopCause)
        let end = VirtualMachineEnd(machineEnd, cause: cause)
        debugger.withLock { server in
            defer { server = nil }
            return server
        }?.machineEnded(status: UInt8(truncatingIfNeeded: end.exitStatus))
        agent?.machineEnded()
        devices.close()
        life.withLock { $0.end = end }
        hub.finish(end)
    }

    private func startDebugServer(_ server: DebugServer) throws(VirtualMachineError) {
        let started = try GDBServer(server, machine: self)
        debugger.withLock { $0 = started }
    }

    /// The port where a debugger may connect, once the machine was started with a debug server.
    var debugPort: UInt16? { debugger.withLock { $0?.port } }

    // MARK: Control

    /// Runs `work` on the control queue.
    func onControl<T: Sendable>(
        _ work: @escaping @Sendable () throws(VirtualMachineError) -> T
    ) async throws(VirtualMachineError) -> T {
        let result: Result<T, VirtualMachineError> = await withCheckedContinuation { continuation in
            control.async {
                do throws(VirtualMachineError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
