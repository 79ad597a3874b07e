// SPDX-License-Identifier: Apache-2.0

import Machines
import Synchronization

/// Spreads a machine's events to everyone who listens. A listener that does not keep up loses the oldest.
final class EventHub: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<VirtualMachine.Event>.Continuation] = [:]
        var next = 0
        var end: VirtualMachineEnd?
        var hearer: (@Sendable (MachineEvent) -> Void)?
    }

    /// Events kept for a listener that is not there to take them.
    private static let backlog = 256

    private let state = Mutex(State())

    /// What follows from now on; after the end, the end at once.
    func stream() -> AsyncStream<VirtualMachine.Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: VirtualMachine.Event.self, bufferingPolicy: .bufferingNewest(EventHub.backlog))
        let (id, end) = state.withLock { state in
            if state.end == nil { state.listeners[state.next] = continuation }
            defer { state.next += 1 }
            return (state.next, state.end)
        }
        if let end {
            continuation.yield(.ended(end))
            continuation.finish()
        } else {
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
            }
        }
        return stream
    }

    func tell(_ event: VirtualMachine.Event) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield(event) }
    }

    /// The last event.
    func finish(_ end: VirtualMachineEnd) {
        let listeners = state.withLock { state in
            state.end = end
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners {
            listener.yield(.ended(end))
            listener.finish()
        }
    }

    /// Sets who hears the machine itself.
    func connect(_ hearer: @escaping @Sendable (MachineEvent) -> Void) {
        state.withLock { $0.hearer = hearer }
    }

    /// The machine's own events come in here.
    func hear(_ event: MachineEvent) { state.withLock(\.hearer)?(event) }
}
