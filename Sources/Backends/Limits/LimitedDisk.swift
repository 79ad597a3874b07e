// SPDX-License-Identifier: Apache-2.0

import Host
public import MachineCore
import Synchronization

/// A disk that does no more than its limits allow. What comes too early waits in line, in its order, until a timer lets
/// it go: no thread waits, and nothing is lost.
///
/// Bytes are those that are read or written, zeroes included; a flush or a discard is a request without bytes. Both
/// directions count together.
public final class LimitedDisk: BlockBackend {
    private struct State {
        var line: WaitingLine<BlockRequest>
        var isSuspended = false
        var isClosed = false
        /// Threads that are handing requests to the base.
        var passing = 0
        var suspenders: [WaitGate] = []
    }

    private let base: any BlockBackend
    private let timer: LimitTimer
    private let completion: @Sendable (_ token: UInt64, BlockResult) -> Void
    private let state: Mutex<State>

    public var capacity: UInt64 { base.capacity }
    public var isReadOnly: Bool { base.isReadOnly }
    public var supportsDiscard: Bool { base.supportsDiscard }
    public var serial: String { base.serial }

    /// `base` within `limits`. `completion` is the one that `base` has: it hears of requests that are cancelled.
    public init(
        _ base: any BlockBackend, limits: RateLimits = RateLimits(), timer: LimitTimer,
        completion: @escaping @Sendable (_ token: UInt64, BlockResult) -> Void
    ) {
        self.base = base
        self.timer = timer
        self.completion = completion
        state = Mutex(State(line: WaitingLine(limits)))
    }

    public func submit(_ requests: [BlockRequest]) {
        let now = timer.now()
        let (ready, call) = state.withLock { state -> ([BlockRequest], UInt64?) in
            // After the end the base refuses them.
            let passes = state.isClosed || !state.line.isLimited && state.line.isEmpty && !state.isSuspended
            guard !passes else {
                if !requests.isEmpty { state.passing += 1 }
                return (requests, nil)
            }
            for request in requests { state.line.append(request, bytes: request.operation.bytes, at: now) }
            return Self.advance(&state, now)
        }
        pass(ready, call)
    }

    /// Answers with failure those that wait and whose token `isUnwanted`: the device was reset.
    public func cancel(where isUnwanted: (_ token: UInt64) -> Bool) {
        let removed = state.withLock { $0.line.remove { isUnwanted($0.token) } }
        for request in removed { completion(request.token, .failed) }
    }

    /// Lets nothing go from now on: the machine is paused. What has begun when this returns is the base's to end.
    public func suspend() {
        let gate = WaitGate()
        let isBusy = state.withLock { state in
            state.isSuspended = true
            if state.passing > 0 { state.suspenders.append(gate) }
            return state.passing > 0
        }
        if isBusy { gate.wait() }
    }

    /// The machine goes on.
    public func proceed() {
        let now = timer.now()
        let (ready, call) = state.withLock { state in
            state.isSuspended = false
            return Self.advance(&state, now)
        }
        pass(ready, call)
    }

    /// Other limits from now on; who waits is judged by them.
    public func setLimits(_ limits: RateLimits) {
        let now = timer.now()
        let (ready, call) = state.withLock { state in
            state.line.change(to: limits, at: now)
            return Self.advance(&state, now)
        }
        pass(ready, call)
    }

    /// Nothing waits any more: what does is answered with failure. The base is closed by its owner.
    public func close() {
        state.withLock { $0.isClosed = true }
        cancel { _ in true }
    }

    /// What the limits did so far.
    public var counts: LimitCounts { state.withLock { $0.line.counts } }

    private static func advance(_ state: inout State, _ now: UInt64) -> ([BlockRequest], UInt64?) {
        guard !state.isSuspended, !state.isClosed else { return ([], nil) }
        let ready = state.line.takeReady(at: now)
        if !ready.isEmpty { state.passing += 1 }
        return (ready, state.line.nextCall())
    }

    private func pass(_ requests: [BlockRequest], _ call: UInt64?) {
        if !requests.isEmpty {
            base.submit(requests)
            let suspenders = state.withLock { state -> [WaitGate] in
                state.passing -= 1
                guard state.passing == 0 else { return [] }
                defer { state.suspenders = [] }
                return state.suspenders
            }
            for gate in suspenders { gate.wake() }
        }
        guard let call else { return }
        timer.schedule(call) { [weak self] in self?.wake(call) }
    }

    private func wake(_ moment: UInt64) {
        let now = timer.now()
        let (ready, call) = state.withLock { state in
            state.line.called(for: moment)
            return Self.advance(&state, now)
        }
        pass(ready, call)
    }
}

extension BlockOperation {
    /// What a limit of bytes counts.
    fileprivate var bytes: UInt64 {
        switch self {
        case .read(_, let segments), .write(_, let segments): segments.reduce(0) { $0 &+ $1.count }
        case .writeZeroes(_, let count, _): count
        case .flush, .discard: 0
        }
    }
}
