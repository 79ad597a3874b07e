// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import MachineCore
import Machines
import Synchronization

/// The agent in a guest, as its host uses it: commands with their streams and status, and an orderly power-off.
///
/// It is the other end of the agent's console port. The guest opens that port when it has come up, and again after each
/// reset, and is greeted each time.
public final class GuestAgent: Sendable {
    /// What an execution hears, in order, on a thread of the machine's: it must not wait.
    enum ExecutionEvent: Sendable {
        case started
        case output(AgentStream, [UInt8])
        /// Stdin takes more bytes than before.
        case stdinWritable
        /// The command takes no more stdin.
        case stdinClosed
        case ended(GuestCommandEnd)
        /// The session broke, for this reason: the command's fate is unknown.
        case lost(String)
    }

    private struct State {
        var client: AgentClient
        var isReady = false
        var isOver = false
        /// The guest has the port open: before, it drops what comes.
        var isOpen = false
        var isFlushing = false
        /// Someone asked for a flush while one was under way.
        var mustFlushAgain = false
        var delivery: StreamAttachment.Delivery?
        var room: StreamAttachment.Room?
        /// What the device had no room for.
        var held: [UInt8] = []
        var executions: [UInt32: @Sendable (ExecutionEvent) -> Void] = [:]
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
        var nextWaiter = 0
    }

    /// Bytes handed to the device at a time.
    private static let piece = 32 << 10
    /// Bytes of the guest's kept for the loop.
    private static let mostBacklog = 1 << 20

    private let log = Logger(label: "apus.agent")
    private let timers: EventLoop
    /// To the devices' loop, from the vCPU that writes to the port: nothing here is done on a vCPU's thread, and no lock of a
    /// device is taken on a thread that serves clients.
    private let queue: LoopQueue
    private let state: Mutex<State>
    /// Bytes of the guest's that the loop has not come to yet.
    private let backlog = Atomic<Int>(0)
    private let isBlocked = Atomic<Bool>(false)

    /// An agent whose port the loop of `queue` serves; who waits for it is timed by `timers`.
    init(timers: EventLoop, queue: LoopQueue) {
        self.timers = timers
        self.queue = queue
        state = Mutex(State(client: GuestAgent.makeClient()))
    }

    private static func makeClient() -> AgentClient {
        var generator = SystemRandomNumberGenerator()
        return AgentClient(nonce: generator.next())
    }

    /// The port that the machine gives to the guest.
    var port: ConsoleAttachment {
        ConsoleAttachment(
            name: AgentProtocol.portName,
            stream: StreamAttachment(AgentChannel(self)) { [weak self] delivery, room in
                self?.state.withLock { ($0.delivery, $0.room) = (delivery, room) }
            },
            guestOpened: { [weak self, queue] isOpen in queue.post { [weak self] in self?.portChanged(isOpen) } })
    }

    // MARK: Readiness

    /// Whether the agent has answered.
    public var isReady: Bool { state.withLock { $0.isReady && !$0.isOver } }

    /// Waits until the agent answers; false if it has not after `timeout`, or the machine has ended.
    public func waitUntilReady(timeout: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let (id, known) = state.withLock { state -> (Int, Bool?) in
                if state.isOver { return (0, false) }
                if state.isReady { return (0, true) }
                state.waiters[state.nextWaiter] = continuation
                defer { state.nextWaiter += 1 }
                return (state.nextWaiter, nil)
            }
            if let known { return continuation.resume(returning: known) }
            let milliseconds = UInt64(max(0, timeout.components.seconds)) * 1000
            timers.schedule(at: MonotonicTime.after(milliseconds: milliseconds)) { [weak self] in
                self?.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
            }
        }
    }

    /// The agent opened the port: it is greeted. Or it closed it, and a session with it is over.
    private func portChanged(_ isOpen: Bool) {
        let lost = state.withLock { state in endSession(&state, isOpen: isOpen) }
        for execution in lost { execution(.lost(AgentError.notReady.description)) }
        carry()
    }

    /// The guest began again from reset: its agent is another. Behind what the guest wrote before.
    func machineRestarted() { queue.post { [weak self] in self?.portChanged(false) } }

    /// Begins anew with what the guest has open; those whose commands are lost.
    private func endSession(_ state: inout State, isOpen: Bool) -> [@Sendable (ExecutionEvent) -> Void] {
        state.isReady = false
        state.isOpen = isOpen
        state.held = []
        state.client = GuestAgent.makeClient()
        defer { state.executions = [:] }
        return Array(state.executions.values)
    }

    /// The machine is over.
    func machineEnded() {
        let (waiters, lost) = state.withLock { state in
            state.isOver = true
            defer {
                state.waiters = [:]
                state.executions = [:]
            }
            return (Array(state.waiters.values), Array(state.executions.values))
        }
        for waiter in waiters { waiter.resume(returning: false) }
        for execution in lost { execution(.lost(AgentError.notReady.description)) }
    }

    // MARK: Requests

    /// Asks the guest to switch off in order; false where no agent answers.
    func powerOff() async -> Bool {
        let isAsked = state.withLock { state in
            guard state.isReady, !state.isOver else { return false }
            state.client.powerOff()
            return true
        }
        flush()
        return isAsked
    }

    /// Starts `command`; `handler` hears what becomes of it.
    func execute(
        _ command: AgentCommand, _ handler: @escaping @Sendable (ExecutionEvent) -> Void
    ) throws(AgentError) -> AgentExecution {
        let result = state.withLock { state -> Result<AgentExecution, AgentError> in
            guard !state.isOver else { return .failure(.notReady) }
            do throws(AgentError) {
                let execution = try state.client.execute(command)
                state.executions[execution.number] = handler
                return .success(execution)
            } catch {
                return .failure(error)
            }
        }
        flush()
        return try result.get()
    }

    /// How many bytes of stdin the command takes now.
    func stdinRoom(_ execution: AgentExecution) -> Int { state.withLock { $0.client.stdinRoom(execution) } }

    /// Writes to the command's stdin: all of `bytes`, for which there was room.
    func writeStdin(_ execution: AgentExecution, _ bytes: ArraySlice<UInt8>) {
        state.withLock { _ = $0.client.writeStdin(execution, bytes) }
        flush()
    }

    func closeStdin(_ execution: AgentExecution) {
        state.withLock { $0.client.closeStdin(execution) }
        flush()
    }

    /// Sends a signal, by the guest's number.
    func signal(_ execution: AgentExecution, _ number: Int32) {
        state.withLock { $0.client.signal(execution, number) }
        flush()
    }

    /// `count` bytes of output went their way: the command may write as many more.
    func consumed(_ execution: AgentExecution, _ stream: AgentStream, _ count: Int) {
        state.withLock { $0.client.consumed(execution, stream, count) }
        flush()
    }

    // MARK: Bytes

    /// Bytes that the guest wrote to the port, on a vCPU's thread; answers how many were taken.
    fileprivate func accept(_ bytes: [UInt8]) -> Int {
        guard backlog.load(ordering: .acquiring) <= GuestAgent.mostBacklog else {
            isBlocked.store(true, ordering: .sequentiallyConsistent)
            // The loop may have come to all of it meanwhile, and told nobody.
            if backlog.load(ordering: .sequentiallyConsistent) > GuestAgent.mostBacklog / 2 { return 0 }
            isBlocked.store(false, ordering: .relaxed)
            return accept(bytes)
        }
        backlog.wrappingAdd(bytes.count, ordering: .acquiringAndReleasing)
        queue.post { [weak self] in self?.take(bytes) }
        return bytes.count
    }

    private func take(_ bytes: [UInt8]) {
        receive(bytes)
        let left = backlog.wrappingSubtract(bytes.count, ordering: .sequentiallyConsistent).newValue
        guard left <= GuestAgent.mostBacklog / 2, isBlocked.exchange(false, ordering: .sequentiallyConsistent) else {
            return
        }
        state.withLock(\.room)?()
    }

    private func receive(_ bytes: [UInt8]) {
        let calls = state.withLock { state -> [() -> Void] in
            var calls: [() -> Void] = []
            state.client.receive(bytes)
            do throws(AgentError) {
                while let event = try state.client.next() { handle(event, &state, &calls) }
            } catch {
                log.warning("the agent's session is over", metadata: ["reason": "\(error)"])
                let reason = error
                // A greeting begins another session with the same agent.
                calls += endSession(&state, isOpen: state.isOpen).map { execution in
                    { execution(.lost(reason.description)) }
                }
            }
            return calls
        }
        for call in calls { call() }
        carry()
    }

    private func handle(_ event: AgentEvent, _ state: inout State, _ calls: inout [() -> Void]) {
        switch event {
        case .ready:
            state.isReady = true
            let waiters = Array(state.waiters.values)
            state.waiters = [:]
            calls.append { for waiter in waiters { waiter.resume(returning: true) } }
        case .pong: break
        case .started(let execution, process: _): tell(execution, .started, state, &calls)
        case .output(let execution, let stream, let bytes): tell(execution, .output(stream, bytes), state, &calls)
        case .stdinWritable(let execution): tell(execution, .stdinWritable, state, &calls)
        case .stdinClosed(let execution): tell(execution, .stdinClosed, state, &calls)
        case .ended(let execution, let exit):
            tell(execution, .ended(GuestCommandEnd(exit)), state, &calls)
            state.executions[execution.number] = nil
        }
    }

    private func tell(
        _ execution: AgentExecution, _ event: ExecutionEvent, _ state: State, _ calls: inout [() -> Void]
    ) {
        guard let handler = state.executions[execution.number] else { return }
        calls.append { handler(event) }
    }

    /// Makes the loop hand what waits to the device.
    fileprivate func flush() { queue.post { [weak self] in self?.carry() } }

    /// Hands what waits to the device, as far as it has room; the device calls `resume()` when there is more. It may call
    /// back meanwhile, so no lock is held. On the loop's thread.
    private func carry() {
        while true {
            let next = state.withLock { state -> (StreamAttachment.Delivery, [UInt8])? in
                guard !state.isFlushing else {
                    state.mustFlushAgain = true
                    return nil
                }
                guard !state.isOver, state.isOpen, let delivery = state.delivery else { return nil }
                if state.held.isEmpty { state.held = state.client.takeOutput(atMost: GuestAgent.piece) }
                guard !state.held.isEmpty else { return nil }
                state.isFlushing = true
                state.mustFlushAgain = false
                return (delivery, state.held)
            }
            guard let (delivery, bytes) = next else { return }
            let taken = delivery(bytes)
            let goesOn = state.withLock { state in
                state.isFlushing = false
                state.held.removeFirst(min(taken, state.held.count))
                return taken == bytes.count || state.mustFlushAgain
            }
            if !goesOn { return }
        }
    }
}

/// The agent as the console port knows it.
private final class AgentChannel: StreamBackend {
    private let agent: GuestAgent

    init(_ agent: GuestAgent) { self.agent = agent }

    func send(_ bytes: [UInt8]) -> Int { agent.accept(bytes) }

    func resume() { agent.flush() }
}
