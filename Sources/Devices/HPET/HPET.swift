// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The high precision event timers: a 64-bit counter and three comparators (HPET 1.0a §2.3).
///
/// Who uses it: r the guest reads, w the guest writes. Each register has 64 bits, in halves too.
///
///     0x000          r   capabilities: 63:32 a tick in femtoseconds; 15 can replace PIT and RTC; 13 64 bits;
///                        12:8 the last comparator's number; 7:0 revision
///     0x010          rw  bit 0 enabled; bit 1 replaces PIT and RTC
///     0x020          rw  bit n: level-triggered interrupt of comparator n; writing 1 clears
///     0x0F0          rw  the counter
///     0x100 + 20h*n  rw  comparator n's configuration (§2.3.8)
///     0x108 + 20h*n  rw  its value; of a periodic one the accumulator, to which the period is added at each match
///     0x110 + 20h*n  rw  its message: 63:32 address, 31:0 data (§2.3.9.3)
///
/// Outputs 0...31 are the inputs of the IOAPIC that `routes` names. With PIT and RTC replaced (output 34) comparator 0
/// drives output 32, for IRQ 0 and pin 2 of the IOAPIC, and comparator 1 output 33, for IRQ 8 and pin 8.
///
/// An edge is a fall and a rise of an output that is high else, so that a controller which looks at levels takes no
/// request back. As with the 8254 the outputs follow one change at a time, whenever `deadline` is asked.
public final class HPET: Device {
    /// One comparator.
    public struct Comparator: Equatable, Sendable {
        /// What the guest wrote of the configuration.
        public internal(set) var configuration: UInt64 = 0
        public internal(set) var value: UInt64 = .max
        public internal(set) var period: UInt64 = 0
        public internal(set) var message: UInt64 = 0
        /// The count up to which matches have been looked for.
        public internal(set) var seen: UInt64 = 0
        /// The output of an edge-triggered one, and whether an edge is due.
        public internal(set) var isHigh = false
        public internal(set) var isDue = false
    }

    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        public internal(set) var configuration: UInt64 = 0
        public internal(set) var status: UInt64 = 0
        /// The count while it stands; while it runs, less the clock's ticks, wrapping.
        public internal(set) var count: UInt64 = 0
        public internal(set) var comparators = Array(repeating: Comparator(), count: HPET.comparators)
    }

    /// How many comparators there are.
    public static var comparators: Int { 3 }
    /// A tick in nanoseconds: 100 MHz.
    public static var nanosecondsPerTick: UInt64 { 10 }
    /// The output for IRQ 0 and pin 2 of the IOAPIC while PIT and RTC are replaced.
    public static var legacyTimerOutput: Int { 32 }
    /// The output for IRQ 8 and pin 8 of the IOAPIC while PIT and RTC are replaced.
    public static var legacyClockOutput: Int { 33 }
    /// High while PIT and RTC are replaced: their own interrupts are cut off (§2.3.5).
    public static var replacesOutput: Int { 34 }
    /// A period below this many ticks would keep the host's timer busy alone: it is followed at a pause.
    private static var fastPeriod: UInt64 { 5000 }
    private static var fastPause: UInt64 { 50_000 }

    enum General {
        static var enabled: UInt64 { 1 }
        static var replaces: UInt64 { 2 }
    }

    /// Bits of a comparator's configuration (§2.3.8).
    enum Bits {
        static var level: UInt64 { 1 << 1 }
        static var interrupts: UInt64 { 1 << 2 }
        static var periodic: UInt64 { 1 << 3 }
        static var setsValue: UInt64 { 1 << 6 }
        static var narrow: UInt64 { 1 << 8 }
        static var route: UInt64 { 0x1F << 9 }
        static var message: UInt64 { 1 << 14 }
        static var canMessage: UInt64 { 1 << 15 }
        /// Periodic and 64 bits wide.
        static var can: UInt64 { 1 << 4 | 1 << 5 }
    }

    /// The registers now.
    public internal(set) var state = State()
    let routes: UInt32
    let messages: (any MessageSink)?
    private let clock: any Clock
    /// One a comparator at most: one that nobody has taken is replaced.
    private var unsent: [Int: (address: UInt64, data: UInt32)] = [:]

    /// Timers whose comparators may be routed to the IOAPIC's inputs `routes`, a bit an input. With `messages` they can
    /// send messages as well.
    public init(clock: any Clock, routes: UInt32, messages: (any MessageSink)? = nil) {
        self.clock = clock
        self.routes = routes
        self.messages = messages
    }

    /// §2.3.1.
    public var windowSize: UInt64 { 0x400 }

    var isEnabled: Bool { state.configuration & General.enabled != 0 }
    private var ticks: UInt64 { clock.nanoseconds / Self.nanosecondsPerTick }

    /// The counter now.
    var count: UInt64 {
        get { isEnabled ? ticks &+ state.count : state.count }
        set { state.count = isEnabled ? newValue &- ticks : newValue }
    }

    func setEnabled(_ enabled: Bool) {
        guard enabled != isEnabled else { return }
        let now = count
        state.configuration = state.configuration & ~General.enabled | (enabled ? General.enabled : 0)
        count = now
    }

    // MARK: Outputs

    public var interruptLevels: UInt64 {
        var levels: UInt64 = state.configuration & General.replaces != 0 ? 1 << UInt64(Self.replacesOutput) : 0
        for number in state.comparators.indices {
            guard let output = output(of: number) else { continue }
            let isLevel = state.comparators[number].configuration & Bits.level != 0
            let level = isLevel ? state.status >> UInt64(number) & 1 != 0 : state.comparators[number].isHigh
            if level { levels |= 1 << UInt64(output) }
        }
        return levels
    }

    /// Where comparator `number` goes by wire, or nil.
    private func output(of number: Int) -> Int? {
        let configuration = state.comparators[number].configuration
        guard configuration & Bits.interrupts != 0, configuration & Bits.message == 0 else { return nil }
        if state.configuration & General.replaces != 0, number < 2 { return Self.legacyTimerOutput + number }
        return Int(configuration & Bits.route) >> 9
    }

    /// Lets the outputs follow by one change, and says when the next one is.
    public var deadline: UInt64? {
        settle()
        var isBehind = false
        for number in state.comparators.indices where state.comparators[number].isDue {
            if state.comparators[number].isHigh {
                state.comparators[number].isHigh = false
                isBehind = true
            } else {
                state.comparators[number].isHigh = true
                state.comparators[number].isDue = false
            }
        }
        let now = clock.nanoseconds
        if isBehind { return now < .max ? now + 1 : nil }
        return state.comparators.indices.compactMap { moment(of: $0, now) }.min()
    }

    /// When comparator `number` matches next; nil if that changes nothing.
    private func moment(of number: Int, _ now: UInt64) -> UInt64? {
        let comparator = state.comparators[number]
        guard isEnabled, comparator.configuration & Bits.interrupts != 0 else { return nil }
        if comparator.configuration & Bits.level != 0, state.status >> UInt64(number) & 1 != 0 { return nil }
        guard let distance = comparator.distance else { return nil }
        let (target, overflow) = ticks.addingReportingOverflow(distance &- (count &- comparator.seen))
        let (moment, tooLate) = target.multipliedReportingOverflow(by: Self.nanosecondsPerTick)
        guard !overflow, !tooLate else { return nil }
        let isFast = comparator.isPeriodic && comparator.period < Self.fastPeriod
        let (earliest, end) = now.addingReportingOverflow(isFast ? Self.fastPause : 1)
        return end ? nil : max(moment, earliest)
    }

    // MARK: Matches

    /// Looks for matches up to now: those that nobody saw count once.
    func settle() {
        guard isEnabled else { return }
        let now = count
        for number in state.comparators.indices where state.comparators[number].advance(to: now) { match(number) }
    }

    /// What a comparator looks at from now on is new: no match of the past counts, but one this very tick does.
    func restart(_ number: Int) { state.comparators[number].seen = count &- 1 }

    private func match(_ number: Int) {
        let comparator = state.comparators[number]
        if comparator.configuration & Bits.level != 0 { state.status |= 1 << UInt64(number) }
        guard comparator.configuration & Bits.interrupts != 0 else { return }
        if comparator.configuration & Bits.message != 0 {
            let address = comparator.message >> 32
            unsent[number] = (address, UInt32(truncatingIfNeeded: comparator.message))
        } else if comparator.configuration & Bits.level == 0 {
            state.comparators[number].isDue = true
        }
    }

    public func takeWork() -> DeviceWork? {
        settle()
        guard let messages, !unsent.isEmpty else { return nil }
        let taken = unsent
        unsent = [:]
        return { for message in taken.values { messages.deliver(address: message.address, data: message.data) } }
    }

    public func reset() {
        state = State()
        unsent = [:]
    }
}

extension HPET.Comparator {
    var isPeriodic: Bool { configuration & HPET.Bits.periodic != 0 }
    private var mask: UInt64 { configuration & HPET.Bits.narrow != 0 ? 0xFFFF_FFFF : .max }

    /// From `seen` to the next match; nil for the whole way round of 64 bits.
    var distance: UInt64? {
        let ahead = (value &- seen) & mask
        if ahead != 0 { return ahead }
        return mask == .max ? nil : mask + 1
    }

    /// Looks for matches after `seen` up to `now`; adds the period for each.
    mutating func advance(to now: UInt64) -> Bool {
        let passed = now &- seen
        guard let distance, distance <= passed else {
            // A counter that was set back begins anew.
            if passed > .max / 2 { seen = now }
            return false
        }
        if isPeriodic, period & mask != 0 {
            value = (value &+ ((passed - distance) / (period & mask) &+ 1) &* (period & mask)) & mask
        }
        seen = now
        return true
    }
}
