// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The timer (Intel SDM Vol 3A §11.5.4): one-shot, periodic, and by the time-stamp counter.
///
/// It counts virtual nanoseconds, divided: a bus clock of 1 GHz, as CPUID 15H tells.
extension LAPIC {
    /// The rate of the timer's input clock in Hz.
    public static var timerFrequency: UInt64 { 1_000_000_000 }

    enum TimerMode: UInt32 { case oneShot, periodic, timeStampDeadline, reserved }

    var timerMode: TimerMode { TimerMode(rawValue: localVector(.timer) >> 17 & 3) ?? .reserved }

    /// Bits 3, 1 and 0 are the power of two less one, and seven is none.
    private var dividerShift: UInt64 { UInt64((state.divider >> 1 & 4 | state.divider & 3) + 1) & 7 }

    private var period: UInt64 { UInt64(state.initialCount) << dividerShift }

    /// The current count: rounded up, so that it is zero only when the timer has expired.
    var currentCount: UInt32 {
        settle()
        guard let expiry = state.expiry else { return 0 }
        let left = expiry - min(expiry, clock.nanoseconds)
        return UInt32(truncatingIfNeeded: (left + (1 << dividerShift) - 1) >> dividerShift)
    }

    /// A write starts the count, or stops it with zero; it is not heard in deadline mode.
    func setInitialCount(_ value: UInt32) {
        guard timerMode != .timeStampDeadline else { return }
        state.initialCount = value
        start(after: period)
    }

    private func start(after nanoseconds: UInt64) {
        let (moment, overflow) = clock.nanoseconds.addingReportingOverflow(nanoseconds)
        state.expiry = nanoseconds == 0 || overflow ? nil : moment
    }

    /// Goes on from `count`, as if it had come there by itself.
    func restartCount(at count: UInt32) { start(after: UInt64(count) << dividerShift) }

    /// What is left of the count goes on at the new rate.
    func setDivider(_ value: UInt32) {
        let left = currentCount
        state.divider = value & 0xB
        if state.expiry != nil { start(after: UInt64(left) << dividerShift) }
    }

    /// The timer's vector is about to change: between deadline mode and the others the timer is disarmed.
    func changeTimerMode(to vector: UInt32) {
        let deadline = TimerMode.timeStampDeadline.rawValue
        guard (localVector(.timer) >> 17 & 3 == deadline) != (vector >> 17 & 3 == deadline) else { return }
        state.expiry = nil
        state.initialCount = 0
        state.timeStampDeadline = 0
    }

    /// IA32_TSC_DEADLINE (§11.5.4.1): zero outside of deadline mode, and once it has passed.
    public var timeStampDeadline: UInt64 {
        settle()
        return timerMode == .timeStampDeadline ? state.timeStampDeadline : 0
    }

    func setTimeStampDeadline(_ value: UInt64) {
        guard timerMode == .timeStampDeadline else { return }
        state.timeStampDeadline = value
        settleTimer()
    }

    /// What the processor adds to its time-stamp rate's ticks now, wrapping: the deadline is compared with the sum.
    public func setTimeStampOffset(_ offset: UInt64) {
        settle()
        timeStampOffset = offset
        settleTimer()
    }

    private var timeStamp: UInt64 { timeStampRate.ticks(at: clock.nanoseconds) &+ timeStampOffset }

    /// What has expired interrupts once, however many periods have passed.
    func settleTimer() {
        if state.timeStampDeadline != 0, timeStamp >= state.timeStampDeadline {
            state.timeStampDeadline = 0
            deliver(.timer)
        }
        let now = clock.nanoseconds
        guard let expiry = state.expiry, expiry <= now else { return }
        if timerMode == .periodic, period != 0 {
            let periods = (now - expiry) / period + 1
            let (advance, far) = periods.multipliedReportingOverflow(by: period)
            let (next, overflow) = expiry.addingReportingOverflow(advance)
            state.expiry = far || overflow ? nil : next
        } else {
            state.expiry = nil
        }
        deliver(.timer)
    }

    /// When the processor has to look. A timer whose interrupt is masked, or waits already, changes nothing.
    public var deadline: UInt64? {
        settle()
        let vector = localVector(.timer)
        guard vector & LocalVector.masked == 0, mode != .off, vector & 0xFF >= 16 else { return nil }
        guard !inbox.isRequested(UInt8(truncatingIfNeeded: vector)) else { return nil }
        guard timerMode == .timeStampDeadline else { return state.expiry }
        guard state.timeStampDeadline != 0 else { return nil }
        // Counted from now, as the offset wraps.
        let now = clock.nanoseconds
        let ticks = timeStampRate.ticks(at: now)
        let (target, overflow) = ticks.addingReportingOverflow(state.timeStampDeadline &- (ticks &+ timeStampOffset))
        guard !overflow, let moment = timeStampRate.nanoseconds(at: target) else { return nil }
        return max(moment, now + 1)
    }
}
