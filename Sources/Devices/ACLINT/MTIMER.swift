// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The machine's time and a comparator a hart (RISC-V ACLINT 1.0-rc4 chapter 2, RISC-V Priv 1.13 §3.2.1).
///
///     +8 * hart  64 bits, the guest reads and writes: the hart's MTIMECMP (§2.3)
///     +0x7FF8    64 bits, the guest reads and writes: MTIME, 10 MHz (§2.2)
///
/// Output n is hart n's machine timer interrupt: MTIME has reached its MTIMECMP, unsigned.
public final class MTIMER: Device {
    /// What is saved and restored, beside the clock.
    public struct State: Equatable, Sendable {
        /// A hart each.
        public internal(set) var compare: [UInt64]
        /// MTIME less the clock's ticks, wrapping.
        public internal(set) var offset: UInt64 = 0
    }

    /// MTIME's rate in Hz: what the device tree's `timebase-frequency` says.
    public static var frequency: UInt64 { 10_000_000 }
    /// A tick of MTIME in nanoseconds.
    public static var nanosecondsPerTick: UInt64 { 1_000_000_000 / frequency }
    private static var timeOffset: UInt64 { 0x7FF8 }

    /// The registers now.
    public private(set) var state: State
    private let clock: any Clock
    private let offsetChanged: (@Sendable (UInt64) -> Void)?
    private var untoldOffset: UInt64?

    /// For harts 0 up to `harts`, at most 16. `offsetChanged` hears, when work is performed, what to add to the clock's
    /// ticks to get MTIME: harts whose `time` CSR mirrors MTIME need it.
    public init(harts: Int, clock: any Clock, offsetChanged: (@Sendable (UInt64) -> Void)? = nil) {
        precondition(harts >= 1 && harts <= 16, "a machine has 1 to 16 harts")
        state = Self.initial(harts: harts)
        self.clock = clock
        self.offsetChanged = offsetChanged
    }

    /// MTIME now.
    public var time: UInt64 { ticks &+ state.offset }
    private var ticks: UInt64 { clock.nanoseconds / Self.nanosecondsPerTick }

    public var windowSize: UInt64 { 0x8000 }

    public var interruptLevels: UInt64 {
        let now = time
        var levels: UInt64 = 0
        for hart in state.compare.indices where now >= state.compare[hart] { levels |= 1 << UInt64(hart) }
        return levels
    }

    /// The next MTIMECMP; for outputs that are high now, the moment MTIME wraps to zero. Nil where that is past the
    /// clock's end.
    public var deadline: UInt64? {
        let start = ticks
        let now = start &+ state.offset
        var next: UInt64?
        for compare in state.compare {
            // From here to `compare` or, having reached it, to 2^64. Zero is always reached.
            let distance = compare > now ? compare - now : 0 &- now
            guard distance > 0, compare > 0 else { continue }
            let (tick, overflow) = start.addingReportingOverflow(distance)
            let (moment, tooLate) = tick.multipliedReportingOverflow(by: Self.nanosecondsPerTick)
            if !overflow, !tooLate { next = min(next ?? moment, moment) }
        }
        return next
    }

    /// Takes aligned words and doubles (§2.1); others read as zero.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard let access = Access(offset, width) else { return 0 }
        if access.register == Self.timeOffset { return access.part(of: time) }
        guard let hart = hart(access.register) else { return 0 }
        return access.part(of: state.compare[hart])
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard let access = Access(offset, width) else { return }
        if access.register == Self.timeOffset {
            let start = ticks
            state.offset = access.replacing(in: start &+ state.offset, by: value) &- start
            untoldOffset = state.offset
        } else if let hart = hart(access.register) {
            state.compare[hart] = access.replacing(in: state.compare[hart], by: value)
        }
    }

    public func takeWork() -> DeviceWork? {
        guard let offset = untoldOffset, let offsetChanged else { return nil }
        untoldOffset = nil
        return { offsetChanged(offset) }
    }

    /// No comparator is ever reached, so that no interrupt greets the next system; §2.3 leaves their value open. MTIME
    /// is the machine's virtual time again and does not begin at zero: that clock goes on over a reset.
    public func reset() {
        if state.offset != 0 { untoldOffset = 0 }
        state = Self.initial(harts: state.compare.count)
    }

    private static func initial(harts: Int) -> State { State(compare: Array(repeating: .max, count: harts)) }

    private func hart(_ register: UInt64) -> Int? {
        register / 8 < UInt64(state.compare.count) ? Int(register / 8) : nil
    }

    /// Which bits of which 64-bit register an access reaches.
    private struct Access {
        let register: UInt64
        let shift: UInt64
        let mask: UInt64

        init?(_ offset: UInt64, _ width: AccessWidth) {
            guard width == .word || width == .double, offset & (width.bytes - 1) == 0 else { return nil }
            register = offset & ~7
            shift = (offset & 7) * 8
            mask = width.mask
        }

        func part(of value: UInt64) -> UInt64 { value >> shift & mask }

        func replacing(in value: UInt64, by part: UInt64) -> UInt64 {
            value & ~(mask << shift) | (part & mask) << shift
        }
    }
}
