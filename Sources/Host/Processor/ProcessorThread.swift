// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The thread of one vCPU as its governor sees it: what it has used, whether it wants to run, and whether it may.
///
/// The thread looks at `hasOrders` whenever it is out of its engine anyway: one relaxed load, and nothing else where
/// nothing is limited. The governor gives an order and then interrupts, so that the engine comes out to see it.
@safe
public final class ProcessorThread: Sendable {
    private static let hold: UInt32 = 1
    private static let pin: UInt32 = 2

    private let orders = Atomic<UInt32>(0)
    private let wants = Atomic<Bool>(false)
    private let listens = Atomic<Bool>(false)
    /// The clock of the thread's CPU time; 0, which is no thread's, before it began and after it ended.
    private let clock = Atomic<CInt>(0)
    private let place = Mutex<CPUSet?>(nil)
    // SAFETY: written by the owner before the thread begins; so for the next.
    private nonisolated(unsafe) var interrupt: @Sendable () -> Void = {}
    private nonisolated(unsafe) var release: @Sendable () -> Void = {}
    // SAFETY: written by the governor before it listens, and never again.
    private nonisolated(unsafe) var rose: @Sendable () -> Void = {}

    public init() {}

    /// Tells how the thread is brought out of its engine to look at its orders, and how it is woken where it waits
    /// while `isHeld`; before it begins.
    public func connect(interrupt: @escaping @Sendable () -> Void, release: @escaping @Sendable () -> Void) {
        // SAFETY: see `interrupt`.
        unsafe self.interrupt = interrupt
        unsafe self.release = release
    }

    // MARK: For the thread itself

    /// The first thing the thread does.
    public func begin() {
        var id = clockid_t()
        // SAFETY: fills the local.
        if unsafe pthread_getcpuclockid(pthread_self(), &id) == 0 { clock.store(id, ordering: .releasing) }
    }

    /// The last thing the thread does.
    public func end() {
        wants.store(false, ordering: .sequentiallyConsistent)
        clock.store(0, ordering: .releasing)
    }

    /// Whether `isHeld` and `takePlace` have something to say.
    @inlinable @inline(__always)
    public var hasOrders: Bool { orderBits != 0 }

    @usableFromInline var orderBits: UInt32 { orders.load(ordering: .relaxed) }

    /// Whether the governor holds the thread back.
    public var isHeld: Bool { orders.load(ordering: .acquiring) & Self.hold != 0 }

    /// Goes where the governor wants the thread.
    public func takePlace() {
        guard orders.bitwiseAnd(~Self.pin, ordering: .acquiringAndReleasing).oldValue & Self.pin != 0 else { return }
        // A set that the kernel takes nothing of was refused before; CPUs may go offline since, and then all are good.
        if let cpus = place.withLock(\.self) { _ = cpus.pinCurrentThread() }
    }

    /// The thread has nothing to do until somebody wakes it.
    public func sleeps() { wants.store(false, ordering: .sequentiallyConsistent) }

    /// The thread has something to do.
    public func wakes() {
        wants.store(true, ordering: .sequentiallyConsistent)
        // Who gave an order before it saw the store has that order seen now.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        // After the store: a governor that goes to sleep says so first and then looks at it.
        // SAFETY: see `rose`.
        if listens.load(ordering: .sequentiallyConsistent) { unsafe rose() }
    }

    // MARK: For the governor

    /// Nanoseconds of CPU that the thread has used; nil while there is none.
    var cpuTime: UInt64? {
        let id = clock.load(ordering: .acquiring)
        guard id != 0 else { return nil }
        var time = timespec()
        // SAFETY: fills the local. A thread that ended meanwhile is an error and nothing else.
        guard unsafe clock_gettime(id, &time) == 0 else { return nil }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Whether it runs, or would if it were let.
    var isWanting: Bool { wants.load(ordering: .sequentiallyConsistent) }

    /// Whom to tell that the thread wakes, while `listen` says so.
    func connect(rose: @escaping @Sendable () -> Void) {
        // SAFETY: see `rose`.
        unsafe self.rose = rose
    }

    func listen(_ on: Bool) { listens.store(on, ordering: .sequentiallyConsistent) }

    /// Holds the thread back, or lets it go. One that sleeps is not woken for it: it will look when it wakes.
    func setHeld(_ on: Bool) {
        if on {
            let old = orders.bitwiseOr(Self.hold, ordering: .sequentiallyConsistent).oldValue
            // SAFETY: see `interrupt`.
            if old & Self.hold == 0, isWanting { unsafe interrupt() }
        } else {
            let old = orders.bitwiseAnd(~Self.hold, ordering: .sequentiallyConsistent).oldValue
            // SAFETY: as above.
            if old & Self.hold != 0 { unsafe release() }
        }
    }

    /// Sends the thread to `cpus`.
    func setPlace(_ cpus: CPUSet) {
        place.withLock { $0 = cpus }
        orders.bitwiseOr(Self.pin, ordering: .sequentiallyConsistent)
        // SAFETY: see `interrupt`.
        if isWanting { unsafe interrupt() }
    }
}
