// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import Synchronization
import SystemPackage

/// A machine in a process of its own, as the process that started it drives it.
final class MachineProcess: MachineBody {
    private struct State {
        var state = VirtualMachine.State.ready
        var end: VirtualMachineEnd?
        var debugPort: UInt16?
        var sandbox = ""
        /// What was last known of the machine, for questions after its end.
        var last: [String: MachineReply] = [:]
        var tail: [String] = []
        var isEnding = false
        var isLeft = false
    }

    /// How long a process whose machine is over may take to go, in milliseconds.
    private static let patience: UInt64 = 10_000
    /// How long a process may take to end its machine when told to, in milliseconds: what the guest wrote last may have
    /// slow readers.
    private static let obedience: UInt64 = 30_000

    let engine: Engine
    let entry: GuestEntry
    let isDetached: Bool
    private let configuration: VirtualMachineConfiguration
    private let hub = EventHub()
    private let loop: EventLoop
    private let child: ChildProcess
    private let link: ControlLink
    private let console: ConsoleBridge?
    private let status = Mutex(State())

    /// Starts the process, which opens all that `configuration` names.
    init(_ configuration: VirtualMachineConfiguration, _ options: LaunchOptions) async throws(VirtualMachineError) {
        try configuration.validate()
        self.configuration = configuration
        isDetached = options.isDetached
        engine = try configuration.chosenEngine()
        let program = try MachineProcess.program()
        var record = GuestRecord(
            configuration, name: options.name, image: options.image, isDetached: options.isDetached)
        record.isKept = options.isKept
        let entry = try GuestRegistry().create(
            record,
            admit: GuestRegistry.admission(
                of: configuration.memorySize, for: "the guest", overcommits: configuration.overcommitsMemory))
        self.entry = entry
        record.id = entry.id
        var launch = MachineLaunch(configuration, record: record, folder: entry.folder.string)
        launch.controlPath = options.controlPath
        launch.consoleLog = options.consoleLog ?? (options.isDetached ? entry.consoleLog.string : nil)
        launch.record.consoleLog = launch.consoleLog
        launch.endFile = options.endFile
        launch.log = options.log
        launch.hasRelay = !options.isDetached && configuration.usesStandardStreams
        let relay = EventTarget()
        do throws(HostError) {
            loop = try EventLoop(name: "machine")
            console = launch.hasRelay ? try ConsoleBridge(loop: loop) : nil
            let pair = try Descriptor.socketPair(.stream)
            let near = pair.first.raw
            try near.setNonBlocking(true)
            child = try MachineProcess.spawn(
                program, launch, owner: pair.second.raw, lock: entry.lockDescriptor, relay: console?.farEnd)
            // The far ends are the child's alone from here on, so that each side hears of the other's end.
            try? pair.second.take().close()
            console?.closeFarEnd()
            link = ControlLink(Descriptor(owning: pair.first.take()), loop: loop) { event in
                relay.target?.hear(event)
            } gone: {
                relay.target?.hungUp()
            }
            try loop.start()
        } catch {
            entry.remove()
            throw VirtualMachineError(error)
        }
        relay.connect(self)
        do throws(VirtualMachineError) {
            try link.start()
            _ = link.write(Array(JSONText.line(launch).utf8))
            let greeting = try await link.greet()
            status.withLock { $0.sandbox = greeting.sandbox ?? "" }
        } catch {
            throw await giveUp(error)
        }
        // The lock is the machine's process's alone from here on.
        entry.close()
        console?.setActions(
            ConsoleRelay.Actions(
                quit: { [weak self] in self?.stop(.caller) },
                perform: { [weak self] command in await self?.perform(command) ?? .failed("the machine is gone") }))
    }

    deinit {
        link.close()
        loop.stop()
    }

    /// The way from the link to this object, which is made after it.
    private final class EventTarget: Sendable {
        private let held = Mutex<WeakProcess>(WeakProcess())
        var target: MachineProcess? { held.withLock { $0.process } }
        func connect(_ process: MachineProcess) { held.withLock { $0.process = process } }
    }

    private struct WeakProcess: Sendable {
        weak var process: MachineProcess?
    }

    // MARK: Life

    var state: VirtualMachine.State { status.withLock(\.state) }
    var events: AsyncStream<VirtualMachine.Event> { hub.stream() }
    var end: VirtualMachineEnd? { status.withLock(\.end) }
    var debugPort: UInt16? { status.withLock(\.debugPort) }
    var sandbox: String { status.withLock(\.sandbox) }

    func start() async throws(VirtualMachineError) {
        do throws(HostError) {
            try console?.start()
        } catch {
            throw VirtualMachineError(error)
        }
        let reply: ControlReply
        do throws(VirtualMachineError) {
            reply = try await link.ask(.start)
        } catch {
            // How a process that is gone has ended says more than that it is.
            guard link.hasHungUp, case .failed(let sentence) = await wait().reason else { throw error }
            throw VirtualMachineError(.host, sentence)
        }
        guard case .started(let report) = reply else {
            throw .misunderstood
        }
        status.withLock { $0.debugPort = report.debugPort }
        terminalResized()
        for place in report.consoles { hub.tell(.console(place)) }
    }

    func stop(_ cause: StopCause) {
        console?.hurry()
        Task { [link] in _ = try? await link.request(.end(cause, graceSeconds: nil)) }
        // A process that does not do what it is told is ended as any other.
        loop.schedule(at: MonotonicTime.after(milliseconds: MachineProcess.obedience)) { [weak self] in
            guard let self, self.end == nil else { return }
            self.child.signal(9)
        }
    }

    func requestStop(_ cause: StopCause, grace: Duration) async {
        let seconds = Int(grace.components.seconds)
        _ = try? await link.request(.end(cause, graceSeconds: seconds))
    }

    func wait() async -> VirtualMachineEnd {
        for await event in hub.stream() {
            if case .ended(let end) = event { return end }
        }
        return end ?? VirtualMachineEnd(reason: .stopped(.caller))
    }

    /// Leaves the process to itself.
    func detach() async throws(VirtualMachineError) {
        _ = try await link.ask(.detach)
        status.withLock { $0.isLeft = true }
        link.close()
    }

    // MARK: Questions

    func perform(_ command: MachineCommand) async -> MachineReply {
        if let known = status.withLock({ $0.last[command.key] }) { return known }
        do throws(VirtualMachineError) {
            guard case .machine(let reply) = try await link.request(.machine(command)) else {
                return .failed(VirtualMachineError.misunderstood.description)
            }
            return reply
        } catch {
            return .failed(error.description)
        }
    }

    func awaitAgent(_ timeout: Duration) async -> Bool {
        let seconds = Int(timeout.components.seconds)
        return (try? await link.request(.awaitAgent(seconds: seconds))) == .agent(isReady: true)
    }

    func prepare(_ command: GuestCommand) async throws(VirtualMachineError) -> GuestProcess {
        try await ControlClient.execute(path: entry.controlSocket.string, command)
    }

    func consoleTail() async -> [String] {
        if let known = status.withLock({ $0.end == nil ? nil : $0.tail }) { return known }
        guard case .lines(let lines)? = try? await link.request(.consoleTail) else { return [] }
        return lines
    }

    func terminalResized() {
        guard !isDetached, let size = Terminal(.standardInput)?.size else { return }
        Task { [link] in _ = try? await link.request(.resize(columns: size.columns, rows: size.rows)) }
    }

    // MARK: From the process, on the loop's thread

    private func hear(_ event: VirtualMachine.Event) {
        switch event {
        case .ended(let end): beginEnd(end)
        case .state(let state):
            status.withLock { $0.state = state }
            hub.tell(event)
        // The start's answer has told of them.
        case .console: break
        default: hub.tell(event)
        }
    }

    private func hungUp() { beginEnd(nil) }

    /// The machine is over, or its process is: what is asked afterwards is asked now, and everything is given back.
    private func beginEnd(_ end: VirtualMachineEnd?) {
        let isFirst = status.withLock { status in
            defer { status.isEnding = true }
            return !status.isEnding && !status.isLeft
        }
        guard isFirst else { return }
        Task {
            if end != nil { await askLast() }
            await giveBack()
            let ending = await reaped()
            if end == nil { entry.noteLoss() }
            finish(end ?? VirtualMachineEnd(reason: .failed(MachineProcess.sentence(for: ending))))
        }
    }

    private func askLast() async {
        var last: [String: MachineReply] = [:]
        for command in [MachineCommand.statistics, .status, .vcpus] {
            if case .machine(let reply)? = try? await link.request(.machine(command)) { last[command.key] = reply }
        }
        let lines = await consoleTail()
        status.withLock { ($0.last, $0.tail) = (last, lines) }
    }

    /// Shows what the guest wrote last, and lets go of the process.
    private func giveBack() async {
        await HostThread.run("end") { [console] in console?.close() }
        link.close()
    }

    private func finish(_ end: VirtualMachineEnd) {
        entry.remove()
        status.withLock { ($0.state, $0.end) = (.ended, end) }
        hub.finish(end)
    }

    /// How the process ended; one that does not go is ended.
    private func reaped() async -> ChildProcess.Ending {
        let timer = loop.schedule(at: MonotonicTime.after(milliseconds: MachineProcess.patience)) { [child] in
            child.signal(9)
        }
        let ending = await HostThread.run("end") { [child] in child.wait() }
        loop.cancel(timer)
        return ending
    }

    /// A process that did not come up: its reason, or how it ended where it could not tell one.
    private func giveUp(_ error: VirtualMachineError) async -> VirtualMachineError {
        status.withLock { $0.isEnding = true }
        link.close()
        let ending = await reaped()
        entry.remove()
        if case .signalled = ending { return VirtualMachineError(.host, MachineProcess.sentence(for: ending)) }
        return error
    }
}

extension MachineProcess {
    /// The program that runs machines.
    private static func program() throws(VirtualMachineError) -> FilePath {
        guard let found = HostProcess.program(named: "apus", variable: "APUS_EXECUTABLE") else {
            throw VirtualMachineError(
                .host,
                "the program apus is neither beside this one nor on PATH; install it, or name it in APUS_EXECUTABLE")
        }
        return found
    }

    private static func spawn(
        _ program: FilePath, _ launch: MachineLaunch, owner: FileDescriptor, lock: FileDescriptor,
        relay: FileDescriptor?
    ) throws(HostError) -> ChildProcess {
        var descriptors: [CInt: FileDescriptor] = [
            MachineLaunch.Descriptors.owner: owner, MachineLaunch.Descriptors.lock: lock,
        ]
        if let relay { descriptors[MachineLaunch.Descriptors.relay] = relay }
        // What it says goes where this process's sayings go, unless it shall outlive this process.
        let messages =
            launch.record.isDetached
            ? try Descriptor.open(
                FilePath(launch.folder).appending("messages.log"), .writeOnly, options: [.create, .append])
            : try Descriptor.duplicating(2)
        descriptors[2] = messages.raw
        // What it needs and no more: a token that lies in the user's environment is none of a guest's. A crash is told by
        // the starter, in a sentence.
        let environment =
            HostProcess.environmentStrings.filter(isHandedOn) + ["SWIFT_BACKTRACE=enable=no"]
        return try ChildProcess(
            program, ["machine"], environment: environment, descriptors: descriptors, inOwnSession: true)
    }

    /// Whether the machine's process gets the variable `text`, `NAME=VALUE`: where things are, and what is said to Apus.
    private static func isHandedOn(_ text: String) -> Bool {
        let name = text.prefix { $0 != "=" }
        return name.hasPrefix("APUS_") || name.hasPrefix("XDG_")
            || ["HOME", "PATH", "TMPDIR", "LANG", "TZ", "LD_LIBRARY_PATH"].contains(name)
    }

    private static func sentence(for ending: ChildProcess.Ending) -> String {
        switch ending {
        case .signalled(31):
            "the sandbox ended the machine's process, which made a system call that it may not make (SIGSYS); "
                + "the host's kernel log names it"
        case .signalled(let number):
            "the machine's process was ended by signal \(number)\(signalNames[number].map { " (\($0))" } ?? "")"
        case .exited(let status): "the machine's process exited with status \(status) and did not say why"
        }
    }

    /// signal(7), the same on all of Linux's architectures here.
    private static let signalNames: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 24: "SIGXCPU",
    ]
}

extension MachineCommand {
    /// What its answer is kept by.
    fileprivate var key: String { "\(self)" }
}

extension VirtualMachineConfiguration {
    /// Whether a console ends at the caller's stdin and stdout.
    var usesStandardStreams: Bool {
        serialPort?.attachment == .standardStreams
            || consoleDevices.contains { $0.attachment == .standardStreams }
    }
}
