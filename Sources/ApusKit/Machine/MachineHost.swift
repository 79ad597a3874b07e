// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import Synchronization
import SystemPackage

/// The body of a machine's own process (`apus machine`): it is told what to run by the process that started it, opens
/// everything, serves who controls the machine, and ends with it.
public final class MachineHost: Sendable {
    /// How long the owner of a machine that is over may take for its last questions.
    private static let patience: UInt64 = 30_000

    private let launch: MachineLaunch
    private let owner = Mutex<OwnerSocket>(OwnerSocket())
    private let tie = OwnerTie()

    private struct OwnerSocket: ~Copyable {
        var socket: Descriptor?
        /// Bytes that were read behind the first line.
        var behind: [UInt8] = []
    }

    /// What ties the machine to its owner.
    private final class OwnerTie: Sendable {
        private struct State {
            var isDetached = false
            var isGone = false
            var waiter: CheckedContinuation<Void, Never>?
        }
        private let state = Mutex(State())

        var isDetached: Bool { state.withLock(\.isDetached) }

        func detach() { state.withLock { $0.isDetached = true } }

        func breaks() {
            state.withLock { state in
                state.isGone = true
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }

        /// Waits until the owner has gone.
        func wait() async {
            await withCheckedContinuation { continuation in
                let isGone = state.withLock { state in
                    if !state.isGone { state.waiter = continuation }
                    return state.isGone
                }
                if isGone { continuation.resume() }
            }
        }
    }

    /// Hears what to run. Only where the process was started as a machine's is: with its owner at descriptor 3.
    public init() throws(VirtualMachineError) {
        let raw = FileDescriptor(rawValue: MachineLaunch.Descriptors.owner)
        guard UnixStream.peer(of: raw) != nil else {
            throw VirtualMachineError(
                .configuration, "'apus machine' is started by other commands of apus alone; use apus run")
        }
        var lines = LineBuffer(limit: MachineLaunch.longestLine)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var line: LineBuffer.Line?
        while line == nil {
            guard case .bytes(let count) = raw.receive(into: &buffer), count > 0 else {
                throw VirtualMachineError(.host, "who started this process has gone before it said what to run")
            }
            lines.append(buffer[..<count])
            line = lines.next()
        }
        guard case .line(let text) = line else {
            throw VirtualMachineError(.configuration, "the description of the machine is too long")
        }
        launch = try JSONText.decode(MachineLaunch.self, from: text, of: "the description of the machine")
        do throws(HostError) {
            try raw.setNonBlocking(true)
        } catch {
            throw VirtualMachineError(error)
        }
        owner.withLock { owner in
            owner.socket = Descriptor(owning: raw)
            owner.behind = lines.takeRest()
        }
    }

    /// Where this process logs.
    public var log: MachineLaunch.Log { launch.log }

    /// Runs the machine to its end; the process's status. `signals` were taken over on the main thread.
    public func run(_ signals: ProcessSignals) async -> Int32 {
        do throws(VirtualMachineError) {
            try await host(signals)
            return 0
        } catch {
            // Before anybody is served: the owner is told in the place of an answer.
            let line = JSONText.line(ControlAnswer(reply: .failed(error.description)))
            owner.withLock { _ = $0.socket?.raw.transmit(Array(line.utf8)[...]) }
            return ExitStatus.failure
        }
    }

    private func host(_ signals: ProcessSignals) async throws(VirtualMachineError) {
        let entry = try GuestEntry.adopt(
            folder: FilePath(launch.folder), lock: FileDescriptor(rawValue: MachineLaunch.Descriptors.lock))
        let relay = launch.hasRelay ? try takeRelay() : nil
        var place = MachinePlace(standardStreams: relay.map { .relayed($0) } ?? .none)
        place.consoleLog = launch.consoleLog
        place.guest = entry.id.rawValue
        let confinement = try Confinement(launch.configuration)
        let machine = try InProcessMachine(launch.configuration, in: place)
        try machine.devices.processors.note(in: entry.folder)
        let server = ControlServer(machine, userID: HostProcess.userID, sandbox: confinement.words)
        do throws(HostError) {
            try server.listen(at: entry.controlSocket)
            if let path = launch.controlPath { try server.listen(at: FilePath(path)) }
        } catch {
            throw VirtualMachineError(error)
        }
        var record = launch.record
        record.adoptProcess()
        record.sandbox = confinement.words
        record.noteSockets(of: launch)
        try entry.publish(record)

        let ending = try launch.endFile.map { path throws(VirtualMachineError) in try GuestEnding(FilePath(path)) }
        let journal = try GuestJournal(entry: entry, record: record)
        let events = machine.events
        let journaling = Task(executorPreference: ServiceExecutor.shared) {
            for await event in events { journal.write(event) }
        }

        let listener = Task(executorPreference: ServiceExecutor.shared) { await self.mind(signals, machine) }
        try serveOwner(server, machine, confinement)
        ending?.write(await machine.wait())
        await journaling.value
        // The owner reads to the end what the guest wrote, then asks what it wants to know, and goes.
        if let relay { try? relay.close() }
        await waitForOwner(server.loop)
        listener.cancel()
        server.close()
    }

    private func takeRelay() throws(VirtualMachineError) -> FileDescriptor {
        let relay = FileDescriptor(rawValue: MachineLaunch.Descriptors.relay)
        do throws(HostError) {
            try relay.setNonBlocking(true)
        } catch {
            throw VirtualMachineError(error)
        }
        return relay
    }

    private func serveOwner(
        _ server: ControlServer, _ machine: InProcessMachine, _ confinement: Confinement
    ) throws(VirtualMachineError) {
        let tie = tie
        let actions = ControlServer.OwnerActions(
            start: { () throws(VirtualMachineError) in
                // Everything is open and served, and no guest instruction has run.
                try await machine.start { () throws(VirtualMachineError) in
                    HostProcess.releaseCode()
                    try confinement.enter()
                }
                confinement.probe()
                return StartReport(debugPort: machine.debugPort, consoles: machine.devices.consoleNames)
            }, detach: { tie.detach() },
            gone: {
                // Nobody is left who could end it.
                if !tie.isDetached { machine.stop(.caller) }
                tie.breaks()
            })
        let (socket, behind) = owner.withLock { owner in (owner.socket.take()?.take(), owner.behind) }
        guard let socket else { return }
        do throws(HostError) {
            try server.serve(owner: Descriptor(owning: socket), actions, behind: behind)
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Waits until the owner has gone, not for ever; a detached machine's has.
    private func waitForOwner(_ loop: EventLoop) async {
        loop.schedule(at: MonotonicTime.after(milliseconds: MachineHost.patience)) { [tie] in tie.breaks() }
        await tie.wait()
    }

    /// Signals to the machine's process: an order to end is asked of the guest first.
    private func mind(_ signals: ProcessSignals, _ machine: InProcessMachine) async {
        var ends = 0
        for await signal in signals.signals {
            guard case .end(let number) = signal else { continue }
            ends += 1
            if ends > 1 {
                machine.stop(.signal(number))
            } else {
                await machine.requestStop(.signal(number), grace: .seconds(10))
            }
        }
    }
}
