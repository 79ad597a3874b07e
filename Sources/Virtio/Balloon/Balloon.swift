// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The memory balloon (virtio 1.2 §5.5): takes memory from a running guest and gives it back, hears which pages the
/// guest has no use for, and asks it how it uses its memory.
///
///     queue 0  inflate     le32 page numbers that the guest gives away
///     queue 1  deflate     le32 page numbers that it takes back
///     queue 2  statistics  one buffer of tags and values, given back when new ones are wanted
///     queue 4  reporting   free pages themselves, as buffers to write
///
/// A driver may send lists of any length, so only one buffer is taken at a time and worked off in parts, each handed to
/// the backend by `takeWork` and answered through `complete`; the lock is free in between. What is not RAM is counted
/// as an error and skipped.
public final class BalloonDevice: VirtioDevice {
    /// A buffer that is being worked off.
    struct Job {
        let queue: Int
        let role: Role
        let chain: DescriptorChain
        /// The time of the queue that the buffer belongs to.
        let epoch: UInt32
        /// How much of it the backend has been given, in bytes.
        var offset: UInt64 = 0
    }

    /// What the guest gave and took since power-on.
    public struct PageCounters: Equatable, Sendable {
        /// Pages given away, pages taken back, and free pages told of that went back to the host.
        public internal(set) var inflated: UInt64 = 0
        public internal(set) var deflated: UInt64 = 0
        public internal(set) var reported: UInt64 = 0
        /// Times that the guest told how it uses its memory.
        public internal(set) var statistics: UInt64 = 0
        public init() {}
    }

    public let core: DeviceCore
    let backend: any BalloonBackend
    /// The buffer that is worked off now.
    var job: Job?
    /// What the backend is to do that `takeWork` has not yet taken.
    var submission: BalloonRequest?
    /// A request is with the backend, or about to be.
    var isBusy = false
    /// Numbers requests.
    var sequence = 0
    /// Nothing new is begun: the machine is to stand still.
    private(set) var isHeld = false
    /// The backend may know of pages in the balloon.
    var hasInflated = false
    /// The buffer that is given back when statistics are wanted, and the time of the queue it belongs to.
    var statisticsBuffer: (head: UInt16, epoch: UInt32)?

    /// What the guest last told of its memory; nil before it has, and after a reset.
    public internal(set) var guestStatistics: BalloonStatistics?
    /// What the guest gave and took since power-on.
    public internal(set) var pages = PageCounters()

    /// A balloon that is to hold `target` pages of 4 KiB. The board passes on each of the backend's answers to
    /// `complete`.
    public init(memory: GuestMemory, backend: any BalloonBackend, target: UInt32 = 0) {
        self.backend = backend
        core = DeviceCore(
            memory: memory, deviceID: 5, features: Self.features,
            queueSizes: [UInt16](repeating: Self.queueSize, count: 5), configSize: BalloonConfig.size)
        core.config.set(target, at: BalloonConfig.target)
    }

    /// The pages of 4 KiB that the balloon is to hold. The driver is told when it changes, and works towards it.
    public var target: UInt32 {
        get { config(BalloonConfig.target) }
        set { if newValue != target { core.changeConfig { $0.set(newValue, at: BalloonConfig.target) } } }
    }

    /// The pages of 4 KiB that the balloon holds, as the driver says.
    public var actual: UInt32 { config(BalloonConfig.actual) }

    /// Whether a driver works the balloon.
    public var hasDriver: Bool { core.isRunning }

    public func activate() {
        for queue in core.queues.indices where core.queues[queue].isReady { notify(queue: queue) }
    }

    public func notify(queue: Int) {
        if role(ofQueue: queue) == .statistics { return takeStatistics(queue) }
        advance()
    }

    /// Begins nothing new until `release()`: afterwards only what the backend has already is under way.
    public func hold() { isHeld = true }

    /// Goes on after `hold()`.
    public func release() {
        isHeld = false
        advance()
    }

    /// Whether a further part may be begun.
    var mayBegin: Bool { !isBusy && !isHeld && core.isRunning }

    public func reset() {
        job = nil
        statisticsBuffer = nil
        guestStatistics = nil
        let forgets = hasInflated || submission?.operation == .forget
        // What the backend was not given yet will not be answered.
        if let submission { _ = core.ledger.end(submission.token) }
        submission = nil
        isBusy = false
        hasInflated = false
        core.config.set(UInt32(0), at: BalloonConfig.actual)
        core.config.set(UInt32(0), at: BalloonConfig.poison)
        if forgets { submission = request(.forget) }
    }

    public func takeWork() -> DeviceWork? {
        guard let request = submission else { return nil }
        submission = nil
        return { [backend] in backend.submit(request) }
    }
}
