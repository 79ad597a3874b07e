// SPDX-License-Identifier: Apache-2.0

public import MachineCore
import Synchronization

/// A network that carries no more than its limits allow, each way by itself. Frames from the guest that come too early
/// wait in line, and the card is told to send no more until they have gone; frames for the guest stay with the base,
/// which holds up whoever sends them. No thread waits.
public final class LimitedNetwork: NetworkBackend {
    /// Takes a frame for the guest; false where the card has no room now.
    public typealias Delivery = @Sendable ([UInt8]) -> Bool

    private struct State {
        var outgoing: WaitingLine<[UInt8]>
        var incoming: RateLimiter
        var limitsIncoming: Bool
        /// When the frame that the base holds was first refused, and for when it was told to offer it again.
        var refusedAt: UInt64?
        var calledAt: UInt64?
        var incomingCounts = LimitCounts()
        var room: (@Sendable () -> Void)?
        var isSuspended = false
        /// A thread hands frames to the base and will look for more, so that they leave in order.
        var isPassing = false
    }

    private let base: any NetworkBackend
    private let timer: LimitTimer
    private let state: Mutex<State>
    /// `outgoing` is not empty.
    private let holds = Atomic<Bool>(false)

    /// `base` within `limits`.
    public init(_ base: any NetworkBackend, limits: RateLimits = RateLimits(), timer: LimitTimer) {
        self.base = base
        self.timer = timer
        state = Mutex(
            State(
                outgoing: WaitingLine(limits), incoming: RateLimiter(limits), limitsIncoming: !limits.isNone))
    }

    // MARK: From the guest

    public func send(_ frame: [UInt8]) {
        let now = timer.now()
        let waits = state.withLock { state in
            guard state.outgoing.isLimited || !state.outgoing.isEmpty || state.isPassing else { return false }
            state.outgoing.append(frame, bytes: UInt64(frame.count), at: now)
            return true
        }
        if waits { pass() } else { base.send(frame) }
    }

    public var isHolding: Bool { holds.load(ordering: .acquiring) || base.isHolding }

    /// Sets who hears, on any thread, that frames are taken again after `isHolding` was true. Once.
    public func connectRoom(_ room: @escaping @Sendable () -> Void) {
        state.withLock { $0.room = room }
    }

    private enum Step {
        case send([[UInt8]])
        /// Nothing more now: when to call again, and who wants to hear of room.
        case rest(call: UInt64?, room: (@Sendable () -> Void)?)
    }

    /// Hands to the base what may go.
    private func pass() {
        var isOurs = false
        while true {
            let now = timer.now()
            let step = state.withLock { state -> Step in
                // Whoever passes already looks again when its frames are gone.
                guard isOurs || !state.isPassing else { return .rest(call: nil, room: nil) }
                let ready = state.isSuspended ? [] : state.outgoing.takeReady(at: now)
                state.isPassing = !ready.isEmpty
                if !ready.isEmpty { return .send(ready) }
                let isEmpty = state.outgoing.isEmpty
                let held = holds.exchange(!isEmpty, ordering: .acquiringAndReleasing)
                return .rest(
                    call: state.isSuspended ? nil : state.outgoing.nextCall(), room: held && isEmpty ? state.room : nil)
            }
            switch step {
            case .send(let frames):
                isOurs = true
                for frame in frames { base.send(frame) }
            case .rest(let call, let room):
                if let call { timer.schedule(call) { [weak self] in self?.wake(call) } }
                room?()
                return
            }
        }
    }

    private func wake(_ moment: UInt64) {
        state.withLock { $0.outgoing.called(for: moment) }
        pass()
    }

    // MARK: For the guest

    /// `delivery` as the base is to call it: false, too, where a frame comes too early; `resume()` of the base follows.
    public func limiting(_ delivery: @escaping Delivery) -> Delivery {
        { [weak self] frame in
            guard let self else { return true }
            return self.mayDeliver(frame) && delivery(frame) && self.charge(frame)
        }
    }

    private func mayDeliver(_ frame: [UInt8]) -> Bool {
        let now = timer.now()
        let (mayGo, call) = state.withLock { state -> (Bool, UInt64?) in
            guard state.limitsIncoming else { return (true, nil) }
            let moment = state.incoming.readyAt(bytes: UInt64(frame.count))
            guard moment > now else { return (true, nil) }
            if state.refusedAt == nil { state.refusedAt = now }
            if let calledAt = state.calledAt, calledAt <= moment { return (false, nil) }
            state.calledAt = moment
            return (false, moment)
        }
        if let call { timer.schedule(call) { [weak self] in self?.offerAgain(call) } }
        return mayGo
    }

    private func charge(_ frame: [UInt8]) -> Bool {
        let now = timer.now()
        state.withLock { state in
            state.incoming.pay(bytes: UInt64(frame.count), at: now)
            guard let refusedAt = state.refusedAt else { return }
            state.refusedAt = nil
            state.incomingCounts.delayed &+= 1
            state.incomingCounts.delayNanoseconds &+= now &- refusedAt
        }
        return true
    }

    private func offerAgain(_ moment: UInt64) {
        state.withLock { if $0.calledAt == moment { $0.calledAt = nil } }
        base.resume()
    }

    public func resume() { base.resume() }

    // MARK: Around both

    /// Lets nothing of the guest's out from now on: the machine is paused. The board shuts the other direction.
    public func suspend() { state.withLock { $0.isSuspended = true } }

    /// The machine goes on.
    public func proceed() {
        state.withLock { $0.isSuspended = false }
        pass()
    }

    /// Other limits from now on; what waits is judged by them.
    public func setLimits(_ limits: RateLimits) {
        let now = timer.now()
        state.withLock { state in
            state.outgoing.change(to: limits, at: now)
            state.incoming = RateLimiter(limits, emptyAt: now)
            state.limitsIncoming = !limits.isNone
        }
        pass()
        base.resume()
    }

    /// What the limits did so far: frames from the guest, and frames for it.
    public var counts: (fromGuest: LimitCounts, toGuest: LimitCounts) {
        state.withLock { ($0.outgoing.counts, $0.incomingCounts) }
    }
}
