// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
import SystemPackage

/// One thread that waits for descriptors, deadlines and work from other threads, and calls back for each.
///
/// Callbacks run one at a time on the loop's thread, so what only they touch needs no lock. They must not block. Any
/// thread may watch, schedule, post and stop. Level-triggered: a descriptor that stays ready calls again.
public final class EventLoop: Sendable {
    /// What a watch waits for, and what it hears. A watch that waits for nothing hears nothing.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Bytes, a connection or the end of the stream can be read.
        public static let readable = Readiness(rawValue: 1)
        /// A write would take bytes.
        public static let writable = Readiness(rawValue: 2)
        /// The other side is gone or the descriptor failed. Heard whether asked for or not.
        public static let hangUp = Readiness(rawValue: 4)
    }

    struct WatchRecord {
        let descriptor: CInt
        var interest: Readiness
        /// A regular file or the null device, which epoll refuses: always ready.
        let isAlwaysReady: Bool
        let handler: @Sendable (Readiness) -> Void
    }

    struct State {
        var nextID: UInt64 = 1
        var watches: [UInt64: WatchRecord] = [:]
        var timers = DeadlineQueue()
        var posted: [@Sendable () -> Void] = []
        /// What the timerfd is set to.
        var armed: UInt64 = .max
        var isStopping = false
    }

    private static let wakeToken: UInt64 = 0
    private static let timerToken: UInt64 = .max
    private static let batch = 64

    let state = Mutex(State())
    private let poller: Descriptor
    private let waker: Descriptor
    private let timer: Descriptor
    private let thread = Mutex<HostThread?>(nil)
    private let runner = Atomic<UInt>(0)

    /// The name of the loop's thread.
    public let name: String

    /// Makes a loop that does not run yet.
    public init(name: String = "io") throws(HostError) {
        self.name = name
        poller = try Self.owned(epoll_create1(CInt(EPOLL_CLOEXEC)), "an epoll instance")
        waker = try Self.owned(eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)), "an eventfd")
        timer = try Self.owned(
            timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK)), "a timerfd")
        try add(waker.number, .readable, token: Self.wakeToken)
        try add(timer.number, .readable, token: Self.timerToken)
    }

    deinit {
        // A thread that runs the loop holds it, so none does; watches that were left give their descriptors back.
        for watch in state.withLock({ $0.watches }).values { close(watch.descriptor) }
    }

    private static func owned(_ number: CInt, _ what: String) throws(HostError) -> Descriptor {
        guard number >= 0 else {
            throw HostError("cannot make \(what)", .current, remedy: "raise the limit on open files (ulimit -n)")
        }
        return Descriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Runs the loop on a thread of its own until `stop()`.
    public func start() throws(HostError) {
        let made = try HostThread(name: name) { self.run() }
        thread.withLock { thread in
            precondition(thread == nil, "an event loop is started once")
            thread = made
        }
    }

    /// Whether the caller runs on the loop's thread.
    public var isOnLoop: Bool { runner.load(ordering: .relaxed) == Self.threadIdentity }

    private static var threadIdentity: UInt { UInt(pthread_self()) }

    /// Asks the loop to end after the callback it is in, and waits for its thread. On the loop's own thread it only asks.
    public func stop() {
        state.withLock { $0.isStopping = true }
        wake()
        guard !isOnLoop else { return }
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }

    /// Calls `work` on the loop's thread, in the order of the posts. Work posted after the loop has ended is dropped.
    public func post(_ work: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            state.posted.append(work)
            return state.posted.count == 1
        }
        if isFirst { wake() }
    }

    /// Waits until the loop's callbacks that were under way, and what was posted before, are done. No effect on the
    /// loop's own thread or where the loop does not run.
    public func barrier() {
        guard !isOnLoop, runner.load(ordering: .acquiring) != 0 else { return }
        let gate = WaitGate()
        post { gate.wake() }
        // A loop that is stopped meanwhile drops the work, so look from time to time.
        while !gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 50)) {
            if runner.load(ordering: .acquiring) == 0 { return }
        }
    }

    func wake() {
        var one: UInt64 = 1
        // SAFETY: eight bytes of the local. A full counter wakes as well.
        unsafe _ = Glibc.write(waker.number, &one, 8)
    }

    // MARK: The loop

    /// Runs the loop on the calling thread until `stop()`.
    public func run() {
        runner.store(Self.threadIdentity, ordering: .releasing)
        defer { runner.store(0, ordering: .releasing) }
        // SAFETY: plain values; filled by epoll_wait(2).
        var events = unsafe [epoll_event](repeating: epoll_event(), count: Self.batch)
        while true {
            let (isStopping, isBusy) = state.withLock { state in
                armTimer(&state)
                return (
                    state.isStopping,
                    state.watches.values.contains { $0.isAlwaysReady && !$0.interest.isEmpty }
                )
            }
            if isStopping { break }
            // SAFETY: the array's own storage, for the length of the call.
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe epoll_wait(poller.number, buffer.baseAddress, CInt(buffer.count), isBusy ? 0 : -1)
            }
            for index in 0..<max(0, Int(count)) {
                // SAFETY: every event was registered with a 64-bit token in the union.
                unsafe dispatch(token: events[index].data.u64, Readiness(epoll: events[index].events))
            }
            runTimers()
            runPosted()
            if isBusy { runAlwaysReady() }
        }
        state.withLock { $0.posted = [] }
    }

    private func dispatch(token: UInt64, _ ready: Readiness) {
        switch token {
        case Self.wakeToken, Self.timerToken:
            var count: UInt64 = 0
            // SAFETY: eight bytes of the local. It resets the counter.
            unsafe _ = Glibc.read(token == Self.wakeToken ? waker.number : timer.number, &count, 8)
            if token == Self.timerToken { state.withLock { $0.armed = .max } }
        default:
            // A watch that was cancelled by an earlier callback of this round is not found.
            let heard = state.withLock { state -> (handler: @Sendable (Readiness) -> Void, ready: Readiness)? in
                guard let watch = state.watches[token] else { return nil }
                let wanted = watch.interest.isEmpty ? [] : watch.interest.union(.hangUp)
                return (watch.handler, ready.intersection(wanted))
            }
            if let heard, !heard.ready.isEmpty { heard.handler(heard.ready) }
        }
    }

    private func runAlwaysReady() {
        let tokens = state.withLock { $0.watches.filter { $0.value.isAlwaysReady }.keys.sorted() }
        for token in tokens { dispatch(token: token, [.readable, .writable]) }
    }

    private func runPosted() {
        let work = state.withLock { state in
            defer { state.posted = [] }
            return state.posted
        }
        for item in work { item() }
    }

    private func runTimers() {
        // Only what is due now: a timer that schedules itself anew in the past does not keep the loop here.
        let now = MonotonicTime.now
        let last = state.withLock { $0.timers.lastID }
        while let due = state.withLock({ $0.timers.popDue(at: now, upTo: last) }) { due() }
    }

    /// Sets the timerfd to the earliest deadline.
    private func armTimer(_ state: inout State) {
        let next = state.timers.earliest ?? .max
        guard next != state.armed else { return }
        state.armed = next
        // Zero would disarm; a deadline in the past fires at once.
        let deadline = next == .max ? 0 : max(next, 1)
        var setting = itimerspec()
        setting.it_value.tv_sec = time_t(deadline / 1_000_000_000)
        setting.it_value.tv_nsec = CLong(deadline % 1_000_000_000)
        // SAFETY: reads the local.
        unsafe _ = timerfd_settime(timer.number, CInt(TFD_TIMER_ABSTIME), &setting, nil)
    }

    // MARK: epoll

    func add(_ descriptor: CInt, _ interest: Readiness, token: UInt64) throws(HostError) {
        if let error = control(EPOLL_CTL_ADD, descriptor, interest, token) {
            throw HostError("cannot watch file descriptor \(descriptor)", error)
        }
    }

    /// Answers the errno of epoll_ctl(2), if any.
    @discardableResult
    func control(_ operation: CInt, _ descriptor: CInt, _ interest: Readiness, _ token: UInt64) -> Errno? {
        // SAFETY: reads the local; the token goes into the union's 64-bit member.
        var event = unsafe epoll_event()
        unsafe event.events = interest.epoll
        unsafe event.data.u64 = token
        return unsafe epoll_ctl(poller.number, operation, descriptor, &event) == 0 ? nil : .current
    }
}

extension EventLoop.Readiness {
    fileprivate init(epoll bits: UInt32) {
        self = []
        if bits & UInt32(EPOLLIN.rawValue) != 0 { insert(.readable) }
        if bits & UInt32(EPOLLOUT.rawValue) != 0 { insert(.writable) }
        if bits & UInt32(EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue) != 0 { insert(.hangUp) }
    }

    fileprivate var epoll: UInt32 {
        var bits: UInt32 = 0
        if contains(.readable) { bits |= UInt32(EPOLLIN.rawValue) }
        if contains(.writable) { bits |= UInt32(EPOLLOUT.rawValue) }
        return bits
    }
}
