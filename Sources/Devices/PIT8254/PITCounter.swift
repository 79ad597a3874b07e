// SPDX-License-Identifier: Apache-2.0

/// One of the three counters of an 8254 (8254 data sheet, "Mode definitions"). It is not stepped: its count and its
/// output are functions of the tick, from the tick at which the count was loaded.
public struct PITCounter: Equatable, Sendable {
    /// How its bytes are read and written, bits 5:4 of the control word.
    public enum Access: UInt8, Sendable { case latch, low, high, both }

    /// 0...5.
    public internal(set) var mode: UInt8 = 0
    public internal(set) var isDecimal = false
    public internal(set) var access = Access.both
    public internal(set) var gate: Bool
    /// What it counts from, 1...65536 (decimal: 10000); nil after a control word until a count is written.
    public internal(set) var initial: UInt32?
    /// A count that is loaded at the end of the cycle (modes 2 and 3) or by the gate (1 and 5).
    public internal(set) var next: UInt32?
    /// The tick at which `initial` was loaded, wrapping; while not running, ticks that had passed since.
    public internal(set) var origin: UInt64 = 0
    public internal(set) var isRunning = false
    /// Mode 1: the output was low when the gate rose again, and stays so.
    public internal(set) var staysLow = false
    /// Modes 2 and 3: the tick at which `next` is loaded.
    public internal(set) var reload: UInt64 = 0
    /// The low byte of a count of which the high byte is still to come.
    public internal(set) var halfWritten: UInt8?
    public internal(set) var isHalfRead = false
    public internal(set) var latchedCount: UInt16?
    public internal(set) var latchedStatus: UInt8?

    init(gate: Bool) { self.gate = gate }

    // MARK: Count and output

    /// Ticks since the load; before it (it comes with the next tick) none.
    private func elapsed(_ tick: UInt64) -> UInt64 {
        guard isRunning else { return origin }
        let passed = tick &- origin
        return passed > .max / 2 ? 0 : passed
    }

    private func isLoaded(_ tick: UInt64) -> Bool {
        guard initial != nil, next == nil else { return false }
        return !isRunning || tick &- origin <= .max / 2
    }

    /// The count as binary; 65536 (or 10000) shows as zero.
    private func count(_ tick: UInt64) -> UInt64 {
        guard let initial else { return 0 }
        let full = UInt64(initial)
        let passed = elapsed(tick)
        switch mode {
        case 2: return full - passed % full
        case 3:
            let phase = passed % full
            let high = (full + 1) / 2
            return (full & ~1) - 2 * (phase < high ? phase : phase - high)
        default:
            let modulus: UInt64 = isDecimal ? 10_000 : 0x1_0000
            return (full + modulus - passed % modulus) % modulus
        }
    }

    /// The output at `tick`.
    func output(_ tick: UInt64) -> Bool {
        guard let initial else { return mode != 0 }
        let full = UInt64(initial)
        let passed = elapsed(tick)
        switch mode {
        case 0: return passed >= full
        case 1: return !isRunning || passed >= full || tick &- origin > .max / 2 && !staysLow
        case 2: return !isRunning || passed % full != full - 1
        case 3: return !isRunning || passed % full < (full + 1) / 2
        default: return !isRunning || passed != full
        }
    }

    /// The first tick after `tick` at which the output changes; nil if it does not.
    func change(after tick: UInt64) -> UInt64? {
        guard let initial, isRunning else { return nil }
        let full = UInt64(initial)
        let passed = elapsed(tick)
        // A load that is still to come is a tick away.
        let start = tick &- origin > .max / 2 ? origin : tick
        switch mode {
        case 0: return passed < full ? start &+ (full - passed) : nil
        case 1:
            if start != tick, !staysLow { return start }
            return passed < full ? start &+ (full - passed) : nil
        case 2:
            guard full > 1 else { return nil }
            let phase = passed % full
            return start &+ (phase == full - 1 ? 1 : full - 1 - phase)
        case 3:
            guard full > 1 else { return nil }
            let phase = passed % full
            let high = (full + 1) / 2
            return start &+ (phase < high ? high - phase : full - phase)
        default:
            if passed == full { return start &+ 1 }
            return passed < full ? start &+ (full - passed) : nil
        }
    }

    /// Loads what was to be loaded by `tick` (modes 2 and 3).
    mutating func settle(_ tick: UInt64) {
        guard isRunning, mode == 2 || mode == 3, let new = next, tick &- reload <= .max / 2 else { return }
        // In mode 3 the new count may begin with the low half.
        let endsHigh = mode == 3 && (reload &- origin) % UInt64(initial ?? 1) != 0
        origin = endsHigh ? reload &- (UInt64(new) + 1) / 2 : reload
        initial = new
        next = nil
    }

    /// The period in ticks of the modes that repeat.
    var period: UInt64? { mode == 2 || mode == 3 ? initial.map(UInt64.init) : nil }

    // MARK: Gate

    mutating func setGate(_ level: Bool, _ tick: UInt64) {
        guard gate != level else { return }
        settle(tick)
        gate = level
        switch mode {
        case 0, 4:
            guard initial != nil else { return }
            if level {
                origin = tick &- origin
            } else {
                origin = elapsed(tick)
            }
            isRunning = level
        case 1, 5: if level { trigger(tick) }
        default:
            if level {
                trigger(tick)
            } else if isRunning {
                origin = elapsed(tick)
                isRunning = false
            }
        }
    }

    /// A rising gate: the count is loaded with the next tick.
    private mutating func trigger(_ tick: UInt64) {
        staysLow = mode == 1 && isRunning && !output(tick)
        if let next { initial = next }
        next = nil
        guard initial != nil else { return }
        origin = tick &+ 1
        isRunning = true
    }

    // MARK: Bytes

    mutating func control(_ word: UInt8) {
        let mode = word >> 1 & 7
        self = PITCounter(gate: gate)
        self.mode = mode > 5 ? mode - 4 : mode
        access = Access(rawValue: word >> 4 & 3) ?? .both
        isDecimal = word & 1 != 0
    }

    mutating func write(_ value: UInt8, _ tick: UInt64) {
        settle(tick)
        switch access {
        case .low: load(UInt16(value), tick)
        case .high: load(UInt16(value) << 8, tick)
        case .latch, .both:
            if let low = halfWritten {
                halfWritten = nil
                load(UInt16(value) << 8 | UInt16(low), tick)
            } else {
                halfWritten = value
                // In mode 0 the first byte stops the count, and the output is low.
                if mode == 0 {
                    initial = nil
                    isRunning = false
                }
            }
        }
    }

    private mutating func load(_ written: UInt16, _ tick: UInt64) {
        let value = isDecimal ? Self.binary(written) : UInt32(written)
        let count = value == 0 ? (isDecimal ? 10_000 : 0x1_0000) : value
        switch mode {
        case 0, 4:
            initial = count
            isRunning = gate
            origin = gate ? tick &+ 1 : 0
        case 1, 5:
            // One that waits for its first trigger has a count, so that its output and status are known.
            if initial == nil { initial = count }
            next = count
        default:
            if isRunning, let initial {
                next = count
                reload = boundary(UInt64(initial), tick)
            } else {
                initial = count
                next = gate ? nil : count
                isRunning = gate
                origin = gate ? tick &+ 1 : 0
            }
        }
    }

    /// The end of the cycle, in mode 3 of the half, that is under way at `tick`.
    private func boundary(_ full: UInt64, _ tick: UInt64) -> UInt64 {
        let passed = elapsed(tick)
        let phase = passed % full
        let start = tick &- origin > .max / 2 ? origin : tick
        let high = (full + 1) / 2
        return start &+ (mode == 3 && phase < high && full > 1 ? high - phase : full - phase)
    }

    mutating func latchCount(_ tick: UInt64) {
        settle(tick)
        if latchedCount == nil { latchedCount = shown(tick) }
    }

    /// The read-back command's status: output, null count, and the control word.
    mutating func latchStatus(_ tick: UInt64) {
        settle(tick)
        guard latchedStatus == nil else { return }
        let flags: UInt8 = (output(tick) ? 0x80 : 0) | (isLoaded(tick) ? 0 : 0x40)
        latchedStatus = flags | access.rawValue << 4 | mode << 1 | (isDecimal ? 1 : 0)
    }

    mutating func read(_ tick: UInt64) -> UInt8 {
        if let status = latchedStatus {
            latchedStatus = nil
            return status
        }
        settle(tick)
        let value = latchedCount ?? shown(tick)
        let readsHigh = access == .high || access != .low && isHalfRead
        if access == .both || access == .latch { isHalfRead.toggle() }
        if !isHalfRead { latchedCount = nil }
        return UInt8(truncatingIfNeeded: readsHigh ? value >> 8 : value)
    }

    private func shown(_ tick: UInt64) -> UInt16 {
        let value = count(tick)
        return isDecimal ? Self.decimal(value % 10_000) : UInt16(truncatingIfNeeded: value)
    }

    /// A digit above 9 counts as what it is; the sum stays below 10,000.
    private static func binary(_ decimal: UInt16) -> UInt32 {
        let digits = (UInt32(decimal & 15), UInt32(decimal >> 4 & 15), UInt32(decimal >> 8 & 15), UInt32(decimal >> 12))
        return (digits.0 + digits.1 * 10 + digits.2 * 100 + digits.3 * 1000) % 10_000
    }

    private static func decimal(_ value: UInt64) -> UInt16 {
        let number = UInt16(truncatingIfNeeded: value)
        return number % 10 | (number / 10 % 10) << 4 | (number / 100 % 10) << 8 | (number / 1000) << 12
    }
}
