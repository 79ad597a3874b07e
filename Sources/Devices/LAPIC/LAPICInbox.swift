// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// How other threads reach a local APIC: vectors and events that were posted, the levels of its two input pins, and
/// what senders have to know of it to find their destination. Atomics alone; posting takes no lock.
///
/// A vector is requested by one atomic operation on the request register; then `wake` tells the processor, which
/// posts `Mailbox.Requests.interrupt` and lets a sleeping thread go.
public final class LAPICInbox: InterruptSink {
    /// Events that are no vectors. The start-up vector lies in 15:8, the number of NMIs that wait (0...2) in 17:16.
    struct Events: OptionSet {
        let rawValue: UInt32
        static var systemManagement: Self { Self(rawValue: 1 << 0) }
        static var initialize: Self { Self(rawValue: 1 << 1) }
        static var startUp: Self { Self(rawValue: 1 << 2) }
        /// An external interrupt that came as a message, not by a pin.
        static var external: Self { Self(rawValue: 1 << 3) }
        /// A pin rose: LINT0, LINT1.
        static var rose0: Self { Self(rawValue: 1 << 4) }
        static var rose1: Self { Self(rawValue: 1 << 5) }
        /// A message with a vector below 16 came (Intel SDM Vol 3A §11.5.3).
        static var illegalVector: Self { Self(rawValue: 1 << 6) }
        /// NMIs are blocked: one waits at most.
        static var blocksNonMaskable: Self { Self(rawValue: 1 << 7) }
        static var startUpVector: Self { Self(rawValue: 0xFF00) }
        static var nonMaskable: Self { Self(rawValue: 3 << 16) }

        var nonMaskableCount: UInt32 { rawValue >> 16 & 3 }
        func settingNonMaskableCount(_ count: UInt32) -> Self {
            Self(rawValue: rawValue & ~Self.nonMaskable.rawValue | count << 16)
        }
    }

    /// What the local APIC publishes for senders, in one word.
    struct Route: Equatable {
        enum Mode: UInt64 { case off, xAPIC, x2APIC }
        var mode = Mode.off
        /// Fixed messages are taken: the APIC is software-enabled (§11.4.7.2).
        var takesVectors = false
        /// The logical destination is in the cluster model (§11.6.2.2).
        var isCluster = false
        /// The ID in xAPIC mode, which software may change.
        var identity: UInt8 = 0
        /// The logical destination in xAPIC mode.
        var logical: UInt8 = 0
        /// For the choice of the lowest priority (§11.6.2.4).
        var priority: UInt8 = 0

        init() {}

        init(bits: UInt64) {
            mode = Mode(rawValue: bits & 3) ?? .off
            takesVectors = bits & 4 != 0
            isCluster = bits & 8 != 0
            identity = UInt8(truncatingIfNeeded: bits >> 8)
            logical = UInt8(truncatingIfNeeded: bits >> 16)
            priority = UInt8(truncatingIfNeeded: bits >> 24)
        }

        var bits: UInt64 {
            mode.rawValue | (takesVectors ? 4 : 0) | (isCluster ? 8 : 0)
                | UInt64(identity) << 8 | UInt64(logical) << 16 | UInt64(priority) << 24
        }
    }

    /// The x2APIC ID, for life.
    public let identity: UInt32
    private let wake: @Sendable () -> Void
    private let requests: InlineArray<4, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }
    /// Of the vectors that are requested or in service: which are level-triggered.
    private let levels: InlineArray<4, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }
    private let events = Atomic<UInt32>(0)
    private let pins = Atomic<UInt32>(0)
    private let published = Atomic<UInt64>(0)

    /// The inbox of the local APIC `identity`. `wake` tells its processor to look, from any thread.
    public init(identity: UInt32, wake: @escaping @Sendable () -> Void) {
        self.identity = identity
        self.wake = wake
    }

    // MARK: What senders do

    /// Takes in what `message` says, whomever it is for.
    public func post(_ delivery: InterruptMessage.Delivery, vector: UInt8, isLevel: Bool) {
        switch delivery {
        case .fixed, .lowestPriority:
            guard route.takesVectors else { return }
            guard vector >= 16 else { return raise(.illegalVector) }
            request(vector, isLevel: isLevel)
        case .systemManagement: raise(.systemManagement)
        case .nonMaskable: raiseNonMaskable()
        case .external: raise(.external)
        case .initialize:
            // What comes before INIT is gone with it; a start-up that follows stays.
            update { $0.subtracting([.startUp, .external]).union(.initialize) }
        case .startUp:
            update { Events(rawValue: $0.subtracting(.startUpVector).rawValue | UInt32(vector) << 8).union(.startUp) }
        case .reserved: return
        }
        wake()
    }

    /// Input pin 0 (LINT0) or 1 (LINT1); others do not exist.
    public func setLine(_ number: Int, level: Bool) {
        guard number == 0 || number == 1 else { return }
        let bit = UInt32(1) << UInt32(number)
        let before =
            level
            ? pins.bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue
            : pins.bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue
        guard (before & bit != 0) != level else { return }
        if level { raise(number == 0 ? .rose0 : .rose1) }
        wake()
    }

    /// The processor's own timer may be due: it looks.
    public func timerExpired() { wake() }

    /// What is published now.
    var route: Route { Route(bits: published.load(ordering: .acquiring)) }

    /// Whether a message for `destination` is for this local APIC.
    func answers(_ destination: InterruptMessage.Destination) -> Bool {
        let route = route
        guard route.mode != .off else { return false }
        switch destination {
        case .everyone: return true
        case .physical(let target): return target == (route.mode == .x2APIC ? identity : UInt32(route.identity))
        case .logical(let target): return answers(logical: target, route)
        }
    }

    /// Intel SDM Vol 3A §11.6.2.2; in x2APIC mode §11.12.9.
    private func answers(logical target: UInt32, _ route: Route) -> Bool {
        if target == .max { return true }
        if route.mode == .x2APIC { return target >> 16 == identity >> 4 && target & 1 << (identity & 15) != 0 }
        guard let target = UInt8(exactly: target) else { return false }
        guard route.isCluster else { return target & route.logical != 0 }
        let isCluster = target >> 4 == route.logical >> 4 || target >> 4 == 15
        return isCluster && target & route.logical & 15 != 0
    }

    // MARK: What the local APIC does, on its processor's thread

    func publish(_ route: Route) { published.store(route.bits, ordering: .releasing) }

    /// The level of pin 0 or 1.
    func pin(_ number: UInt32) -> Bool { pins.load(ordering: .acquiring) >> number & 1 != 0 }

    var pending: Events { Events(rawValue: events.load(ordering: .acquiring)) }

    /// Takes what of `wanted` waits.
    func take(_ wanted: Events) -> Events {
        guard !pending.isDisjoint(with: wanted) else { return [] }
        return Events(rawValue: events.bitwiseAnd(~wanted.rawValue, ordering: .acquiringAndReleasing).oldValue)
            .intersection(wanted)
    }

    /// Takes a start-up with its vector.
    func takeStartUp() -> UInt8? {
        let taken = take([.startUp, .startUpVector])
        return taken.contains(.startUp) ? UInt8(truncatingIfNeeded: taken.rawValue >> 8) : nil
    }

    /// Takes one NMI; from then on one more waits at most.
    func takeNonMaskable() -> Bool {
        let before = update {
            let count = $0.nonMaskableCount
            return count == 0 ? $0 : $0.settingNonMaskableCount(count - 1).union(.blocksNonMaskable)
        }
        return before.nonMaskableCount != 0
    }

    func unblockNonMaskable() { _ = take(.blocksNonMaskable) }

    /// Requests `vector`; true if it was not requested yet.
    @discardableResult
    func request(_ vector: UInt8, isLevel: Bool) -> Bool {
        let (word, bit) = Self.place(vector)
        if isLevel {
            levels[word].bitwiseOr(bit, ordering: .acquiringAndReleasing)
        } else {
            levels[word].bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
        }
        // One operation makes the request; its order also publishes the trigger mode.
        return requests[word].bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue & bit == 0
    }

    func isRequested(_ vector: UInt8) -> Bool {
        let (word, bit) = Self.place(vector)
        return requests[word].load(ordering: .acquiring) & bit != 0
    }

    func isLevel(_ vector: UInt8) -> Bool {
        let (word, bit) = Self.place(vector)
        return levels[word].load(ordering: .acquiring) & bit != 0
    }

    /// The request of `vector` is served.
    func withdraw(_ vector: UInt8) {
        let (word, bit) = Self.place(vector)
        requests[word].bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
    }

    /// The highest vector that is requested, or nil.
    var highestRequest: UInt8? {
        for word in (0..<4).reversed() {
            let bits = requests[word].load(ordering: .acquiring)
            if bits != 0 { return UInt8(word * 64 + 63 - bits.leadingZeroBitCount) }
        }
        return nil
    }

    /// 32 bits of the request and of the trigger-mode register.
    func requestWord(_ index: Int) -> UInt32 { Self.half(requests[index / 2].load(ordering: .acquiring), index) }
    func levelWord(_ index: Int) -> UInt32 { Self.half(levels[index / 2].load(ordering: .acquiring), index) }

    /// Forgets all that was posted but `kept`; the pins keep their levels.
    func clear(keeping kept: Events = []) {
        for word in 0..<4 {
            requests[word].store(0, ordering: .releasing)
            levels[word].store(0, ordering: .releasing)
        }
        events.bitwiseAnd(kept.rawValue, ordering: .acquiringAndReleasing)
    }

    /// Puts back what was saved.
    func restore(requests: [UInt32], levels: [UInt32]) {
        for word in 0..<4 {
            self.requests[word].store(
                UInt64(requests[2 * word]) | UInt64(requests[2 * word + 1]) << 32, ordering: .releasing)
            self.levels[word].store(UInt64(levels[2 * word]) | UInt64(levels[2 * word + 1]) << 32, ordering: .releasing)
        }
    }

    func raise(_ event: Events) { events.bitwiseOr(event.rawValue, ordering: .acquiringAndReleasing) }

    func raiseNonMaskable() {
        update {
            let limit: UInt32 = $0.contains(.blocksNonMaskable) ? 1 : 2
            return $0.settingNonMaskableCount(max($0.nonMaskableCount, min($0.nonMaskableCount + 1, limit)))
        }
    }

    /// Replaces the events in one step; what they were.
    @discardableResult
    private func update(_ change: (Events) -> Events) -> Events {
        var seen = events.load(ordering: .acquiring)
        while true {
            let (exchanged, original) = events.compareExchange(
                expected: seen, desired: change(Events(rawValue: seen)).rawValue, ordering: .acquiringAndReleasing)
            if exchanged { return Events(rawValue: seen) }
            seen = original
        }
    }

    private static func place(_ vector: UInt8) -> (word: Int, bit: UInt64) {
        (Int(vector >> 6), 1 << UInt64(vector & 63))
    }

    private static func half(_ word: UInt64, _ index: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: index & 1 == 0 ? word : word >> 32)
    }
}
