// SPDX-License-Identifier: Apache-2.0

/// The size of one bus access.
public enum AccessWidth: UInt8, Sendable, CaseIterable {
    case byte = 1
    case half = 2
    case word = 4
    case double = 8

    /// In bytes.
    @inlinable public var bytes: UInt64 { UInt64(rawValue) }
    /// All ones in the access's bits.
    @inlinable public var mask: UInt64 { self == .double ? .max : (1 << (bytes * 8)) &- 1 }
}

/// Something to do outside of a device once its lock is free: send bytes, submit a request to a backend.
public typealias DeviceWork = () -> Void

/// A chip: a pure state machine of registers. It knows no bus address, thread, descriptor, lock or logger.
///
/// Its adaptor on the board owns the lock. For each access the adaptor takes the lock, calls `read` or `write`, reads
/// `takeWork()`, `deadline` and `interruptLevels`, lets go of the lock, and only then drives lines, arms the timer and
/// performs the work. `deadline` comes before `interruptLevels`: a moment that passes between the two is then seen as a
/// level, or as a deadline that is over, and never lost. Whatever else changes the chip (a byte that came in, a request
/// that ended) goes through the adaptor in the same way.
public protocol Device: AnyObject {
    /// The size in bytes of its register window.
    var windowSize: UInt64 { get }
    /// Reads the register at `offset`. What is reserved, or of a width the chip does not take, reads as zero unless its
    /// manual says otherwise.
    func read(at offset: UInt64, width: AccessWidth) -> UInt64
    /// Writes the register at `offset`; bits above `width` in `value` are zero.
    func write(_ value: UInt64, at offset: UInt64, width: AccessWidth)
    /// The level of each interrupt output now, bit n for output n: the one place that computes it.
    var interruptLevels: UInt64 { get }
    /// The virtual time in nanoseconds when `interruptLevels` will change by itself, or nil.
    var deadline: UInt64? { get }
    /// What is to be done outside since it was last asked, or nil.
    func takeWork() -> DeviceWork?
    /// Back to the state after power-on. Requests under way are forgotten or waited for as the chip's own rules say.
    func reset()
}

extension Device {
    public var interruptLevels: UInt64 { 0 }
    public var deadline: UInt64? { nil }
    public func takeWork() -> DeviceWork? { nil }
}
