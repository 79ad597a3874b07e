// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The interval timer of a PC, an 8254, and the port beside it that has counter 2's gate and output (8254 data sheet;
/// Intel ICH9 §13.3, §13.7.1).
///
/// Offsets are distances from port 0x40; each port is a byte. Who uses it: r the guest reads, w the guest writes.
///
///     0x00-0x02  rw  counters 0, 1, 2
///     0x03        w  control word: 7:6 counter, or 3 the read-back command; 5:4 access; 3:1 mode; 0 decimal
///     0x21       rw  port 0x61: bit 0 gate of counter 2, bit 1 its way to the speaker, bits 2 and 3 kept;
///                    r: bit 4 turns over with each memory refresh, bit 5 output of counter 2
///
/// Output 0 is the output of counter 0. A pulse of mode 2 lasts a tick, less than it takes a host to notice: so the wire
/// follows the counter one change at a time, each time `deadline` is asked, and no edge is lost. Periods that passed
/// unnoticed leave one edge.
public final class PIT8254: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        public internal(set) var counters = [PITCounter(gate: true), PITCounter(gate: true), PITCounter(gate: false)]
        /// Bits 3:1 of port 0x61.
        public internal(set) var control: UInt8 = 0
        /// The tick up to which the wire has followed counter 0.
        public internal(set) var followed: UInt64 = 0
    }

    /// The rate of all counters in Hz: a twelfth of 14.31818 MHz.
    public static var frequency: UInt64 { 1_193_182 }
    /// Between two turns of the refresh bit, in nanoseconds (ICH9 §13.7.1, bit 4).
    private static var refresh: UInt64 { 15_085 }
    /// A period below this many ticks would keep the host's timer busy alone: its changes are followed at a pause, in
    /// nanoseconds.
    private static var fastPeriod: UInt64 { 120 }
    private static var fastPause: UInt64 { 50_000 }
    private static var controlPort: UInt64 { 0x21 }

    /// The registers now.
    public private(set) var state = State()
    private let clock: any Clock
    private let rate = TimeStampRate(frequency: frequency)

    /// A timer whose counters wait for their first control word.
    public init(clock: any Clock) {
        self.clock = clock
    }

    public var windowSize: UInt64 { 0x22 }

    private var tick: UInt64 { rate.ticks(at: clock.nanoseconds) }

    public var interruptLevels: UInt64 { state.counters[0].output(state.followed) ? 1 : 0 }

    /// Lets the wire follow by one change, and says when the next one is.
    public var deadline: UInt64? {
        let now = tick
        follow(now)
        guard let change = state.counters[0].change(after: state.followed) else { return nil }
        let isFast = (state.counters[0].period ?? .max) < Self.fastPeriod
        let (earliest, overflow) = clock.nanoseconds.addingReportingOverflow(isFast ? Self.fastPause : 1)
        guard !overflow else { return nil }
        return change <= now ? earliest : rate.nanoseconds(at: change).map { max($0, earliest) }
    }

    private func follow(_ now: UInt64) {
        guard state.followed < now else { return }
        // Whole periods that nobody has seen leave the wire as it is.
        if let period = state.counters[0].period {
            let end = state.counters[0].next == nil ? now : min(now, state.counters[0].reload)
            let behind = (max(end, state.followed) - state.followed) / period
            if behind > 1 { state.followed += (behind - 1) * period }
        }
        if let change = state.counters[0].change(after: state.followed), change <= now {
            state.followed = change
        } else {
            state.followed = now
        }
        state.counters[0].settle(state.followed)
    }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .byte else { return 0 }
        let now = tick
        switch offset {
        case 0...2: return UInt64(look(Int(offset)) { $0.read(now) })
        case Self.controlPort:
            state.counters[2].settle(now)
            let turns = clock.nanoseconds / Self.refresh & 1
            return UInt64(state.control) | (state.counters[2].gate ? 1 : 0) | turns << 4
                | (state.counters[2].output(now) ? 0x20 : 0)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .byte else { return }
        let byte = UInt8(truncatingIfNeeded: value)
        let now = tick
        switch offset {
        case 0: changeFirst(now) { $0.write(byte, now) }
        case 1, 2: state.counters[Int(offset)].write(byte, now)
        case 3: control(byte, now)
        case Self.controlPort:
            state.control = byte & 0xE
            state.counters[2].setGate(byte & 1 != 0, now)
        default: break
        }
    }

    /// Changes counter 0, whose wire may be behind: if it has another count now, its wire is where the counter is.
    private func changeFirst(_ now: UInt64, _ body: (inout PITCounter) -> Void) {
        let before = state.counters[0]
        body(&state.counters[0])
        if state.counters[0].initial != before.initial || state.counters[0].origin != before.origin {
            state.followed = now
        }
    }

    /// Counter `number` as it is now, for a look: of which it keeps what was latched and read, and nothing else, as its
    /// wire may be behind.
    private func look<T>(_ number: Int, _ body: (inout PITCounter) -> T) -> T {
        var now = state.counters[number]
        let result = body(&now)
        state.counters[number].isHalfRead = now.isHalfRead
        state.counters[number].latchedCount = now.latchedCount
        state.counters[number].latchedStatus = now.latchedStatus
        return result
    }

    private func control(_ word: UInt8, _ now: UInt64) {
        guard word >> 6 < 3 else { return readBack(word, now) }
        let number = Int(word >> 6)
        if word & 0x30 == 0 {
            look(number) { $0.latchCount(now) }
        } else {
            state.counters[number].control(word)
            if number == 0 { state.followed = now }
        }
    }

    /// Bits 3:1 name the counters; bit 5 clear latches their counts, bit 4 clear their status.
    private func readBack(_ word: UInt8, _ now: UInt64) {
        for number in 0..<3 where word >> UInt8(number + 1) & 1 != 0 {
            if word & 0x20 == 0 { look(number) { $0.latchCount(now) } }
            if word & 0x10 == 0 { look(number) { $0.latchStatus(now) } }
        }
    }

    public func reset() {
        state = State()
        state.followed = tick
    }
}
