// SPDX-License-Identifier: Apache-2.0

/// A virtual machine: made from a configuration, started once, and over when its guest or its owner ends it.
///
/// It runs in a process of its own: what a guest brings down there takes nobody along. That process ends with this
/// object, and with the process that has it, unless the machine was made to outlive them. Any thread or task may call it.
public final class VirtualMachine: Sendable {
    /// Where the machine is in its life.
    public enum State: String, Codable, Sendable {
        /// Made, and never started.
        case ready
        case running
        /// All vCPUs and devices stand still, and so does virtual time.
        case paused
        /// Over; a machine does not start twice.
        case ended
    }

    /// What a machine tells whoever listens.
    public enum Event: Equatable, Sendable {
        case state(State)
        /// The guest began again from reset.
        case restarted
        /// The guest's system says that it has crashed, in these words.
        case panicked(String)
        /// A console is to be found here: the name of a pseudo-terminal.
        case console(String)
        /// The machine is over; nothing follows.
        case ended(VirtualMachineEnd)
    }

    /// What is between the machine and the process that made it.
    public enum Isolation: Sendable {
        /// A process of the machine's own.
        case process
        /// Nothing: the machine runs within the calling process, without a sandbox and unknown to other commands.
        case none
    }

    /// What the machine is made of.
    public let configuration: VirtualMachineConfiguration
    /// What is between it and this process.
    public let isolation: Isolation
    private let body: any MachineBody

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    ///
    /// With `isolation: .process` that is done by the machine's own process: the program `apus` at `APUS_EXECUTABLE`,
    /// else beside this program, else on PATH.
    public init(
        _ configuration: VirtualMachineConfiguration, isolation: Isolation = .process,
        options: LaunchOptions = LaunchOptions()
    ) async throws(VirtualMachineError) {
        self.configuration = configuration
        self.isolation = isolation
        switch isolation {
        case .process: body = try await MachineProcess(configuration, options)
        case .none: body = try InProcessMachine(configuration)
        }
    }

    /// The engine that runs, where the configuration left the choice.
    public var engine: Engine { body.engine }

    /// What confines the machine's process from its start on, in a few words.
    public var sandbox: String { body.sandbox }

    /// The guest's identifier among those of this host; nil without a process of its own.
    public var id: GuestIdentifier? { process?.entry.id }

    private var process: MachineProcess? { body as? MachineProcess }

    // MARK: Life

    /// Where the machine is in its life.
    public var state: State { body.state }

    /// What happens from now on; ends after `Event.ended`. Each call is a listener of its own.
    public var events: AsyncStream<Event> { body.events }

    /// How the machine ended, once it has.
    public var end: VirtualMachineEnd? { body.end }

    /// Switches on.
    public func start() async throws(VirtualMachineError) { try await body.start() }

    /// Stops all vCPUs and virtual time; without effect when paused.
    public func pause() async throws(VirtualMachineError) { try await carryOut(.pause) }

    /// Goes on after `pause()`.
    public func resume() async throws(VirtualMachineError) { try await carryOut(.resume) }

    /// Begins again from reset, without asking the guest.
    public func reset() async throws(VirtualMachineError) { try await carryOut(.reset) }

    /// Ends the machine without asking the guest. `cause` is what `VirtualMachineEnd` will say.
    public func stop(_ cause: StopCause = .caller) { body.stop(cause) }

    /// Asks the guest to switch itself off, through the agent in it; ends the machine at once where there is none.
    /// A guest that is still there after `grace` is ended.
    public func requestStop(_ cause: StopCause = .caller, grace: Duration = .seconds(10)) async {
        await body.requestStop(cause, grace: grace)
    }

    /// Waits for the end. Nothing of the machine is left then, its process included.
    public func wait() async -> VirtualMachineEnd { await body.wait() }

    /// Leaves the machine to itself: it goes on when this object and this process are gone, until its guest ends it or
    /// someone by its control socket. Only for a machine made with `LaunchOptions.isDetached`.
    public func detach() async throws(VirtualMachineError) {
        guard let process, process.isDetached else {
            throw VirtualMachineError(
                .state, "this machine ends with who started it; make it detached to have it go on")
        }
        try await process.detach()
    }

    // MARK: Questions

    /// Carries out `command`: the one door for the monitor, for a debugger's `monitor` and for a control socket.
    public func perform(_ command: MachineCommand) async -> MachineReply { await body.perform(command) }

    /// What the machine is and where it stands.
    public func status() async throws(VirtualMachineError) -> MachineStatus {
        guard case .status(let status) = try await answer(.status) else { throw .misunderstood }
        return status
    }

    /// What each vCPU is doing.
    public func vcpus() async throws(VirtualMachineError) -> [VCPUSummary] {
        guard case .vcpus(let vcpus) = try await answer(.vcpus) else { throw .misunderstood }
        return vcpus
    }

    /// The counters of vCPUs and devices; after the end, the last ones.
    public func statistics() async throws(VirtualMachineError) -> StatisticsReport {
        guard case .statistics(let report) = try await answer(.statistics) else { throw .misunderstood }
        return report
    }

    private func answer(_ command: MachineCommand) async throws(VirtualMachineError) -> MachineReply {
        let reply = await body.perform(command)
        if case .failed(let sentence) = reply { throw VirtualMachineError(.state, sentence) }
        return reply
    }

    private func carryOut(_ command: MachineCommand) async throws(VirtualMachineError) { _ = try await answer(command) }

    // MARK: The guest

    /// Waits until the agent in the guest answers; false if it has not after `timeout`, the machine has ended, or it has
    /// no port for an agent.
    public func waitForAgent(timeout: Duration) async -> Bool { await body.awaitAgent(timeout) }

    /// A command to run in the guest, whose agent has answered, on this process's stdin, stdout and stderr.
    public func prepare(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestProcess {
        try await body.prepare(command)
    }

    /// The last lines that the guest wrote to its serial port, without what would steer a terminal.
    public func consoleTail() async -> [String] { await body.consoleTail() }

    /// Tells the guest the size of this process's terminal, where a virtio console is on it. Called when it changes.
    public func terminalResized() { body.terminalResized() }

    /// The port where a debugger may connect, once the machine was started with a debug server.
    public var debugPort: UInt16? { body.debugPort }
}
