// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization
import SystemPackage

/// Frames from a descriptor to a network card, as fast as the card takes them: the one that it had no room for is kept,
/// the rest stays with the kernel, which bounds it.
final class FramePump: Sendable {
    /// Takes a frame for the guest; false where the card has no room now.
    typealias Delivery = @Sendable ([UInt8]) -> Bool

    /// What a source has to give.
    enum Arrival {
        case frame([UInt8])
        /// Nothing for the guest; there may be more behind it.
        case other
        case nothing
        case ended
    }

    private struct State {
        var delivery: Delivery?
        var held: [UInt8]?
        var watch: EventLoop.Watch?
        var isEnded = false
        var received: UInt64 = 0
    }

    /// Frames delivered in one turn before others on the loop get theirs.
    private static let framesPerTurn = 64

    private let state = Mutex(State())
    private let loop: EventLoop
    private let descriptor: FileDescriptor
    private let next: @Sendable () -> Arrival
    private let ended: @Sendable () -> Void

    /// Takes frames by `next` when `descriptor` is readable; `ended` hears of its end. Both on the loop's thread.
    init(
        _ descriptor: FileDescriptor, loop: EventLoop, next: @escaping @Sendable () -> Arrival,
        ended: @escaping @Sendable () -> Void
    ) {
        self.descriptor = descriptor
        self.loop = loop
        self.next = next
        self.ended = ended
    }

    /// Frames that the card took.
    var received: UInt64 { state.withLock { $0.received } }

    /// Sets who takes the frames. Once.
    func connect(_ delivery: @escaping Delivery) throws(HostError) {
        state.withLock { state in
            precondition(state.delivery == nil, "a network is connected once")
            state.delivery = delivery
        }
        let watch = try loop.watch(descriptor, for: .readable) { [weak self] _ in self?.pump() }
        state.withLock { state in
            if state.isEnded { watch.cancel() } else { state.watch = watch }
        }
    }

    /// The card has room again.
    func resume() {
        if state.withLock({ $0.held != nil }) { loop.post { [weak self] in self?.pump() } }
    }

    /// Takes no more frames. When it returns no callback runs, unless it is called from one.
    func close() {
        end()
        loop.barrier()
    }

    private func end() {
        state.withLock { state in
            state.isEnded = true
            state.watch?.cancel()
            (state.watch, state.delivery, state.held) = (nil, nil, nil)
        }
    }

    private func pump() {
        for _ in 0..<Self.framesPerTurn {
            let (held, delivery) = state.withLock { ($0.held, $0.delivery) }
            guard let delivery else { return }
            var frame = held
            if frame == nil {
                switch next() {
                case .frame(let arrived): frame = arrived
                case .other: continue
                case .nothing: return
                case .ended:
                    end()
                    return ended()
                }
            }
            guard let frame else { return }
            // Held before it is offered: a `resume` that comes meanwhile finds it.
            state.withLock { $0.held = frame }
            let isTaken = delivery(frame)
            state.withLock { state in
                if isTaken { (state.held, state.received) = (nil, state.received + 1) }
                state.watch?.setInterest(isTaken ? .readable : [])
            }
            if !isTaken { return }
        }
        // A held frame has no readable descriptor to call again.
        if state.withLock({ $0.held != nil }) { loop.post { [weak self] in self?.pump() } }
    }
}
