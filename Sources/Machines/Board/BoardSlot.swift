// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// A chip's place on the board: the lock around it, its wires and its timer.
///
/// Whatever happens to the chip goes through `change`: under the lock the chip is called and asked for its levels, its
/// deadline and its work; with the lock free again the wires are driven, the timer armed and the work performed.
///
/// Two threads may come out of the lock in one order and reach the wires in another. So what is driven is never what a
/// thread has seen, but what was published last: levels are published under the chip's lock and carried to the wires
/// under a second one, which is never taken with the first one held.
@safe
final class BoardSlot<Chip: Device>: BusTarget, BoardResident {
    let name: String
    /// The chip; touched under `lock` alone.
    // SAFETY: every use is within `change`, or before the machine runs.
    private nonisolated(unsafe) let chip: Chip
    private let lock = Mutex<Void>(())
    /// What the chip's outputs are, as last computed under `lock`.
    private let published = Atomic<UInt64>(0)
    /// What the wires carry; held while they are driven.
    private let driven = Mutex<UInt64>(0)
    private let wires: [InterruptLine?]
    private let timers: BoardTimers?
    // SAFETY: written once, by `connectTimer`, before the machine runs.
    private nonisolated(unsafe) var timerSlot: Int?
    /// The deadline the timer has; under `lock`.
    // SAFETY: touched under `lock` alone.
    private nonisolated(unsafe) var armed: UInt64?
    private let reads = Atomic<UInt64>(0)
    private let writes = Atomic<UInt64>(0)

    /// `chip` with output n on `wires[n]`.
    init(_ chip: Chip, name: String, wires: [InterruptLine?] = [], timers: BoardTimers? = nil) {
        self.name = name
        // SAFETY: stored; see `chip`.
        unsafe self.chip = chip
        self.wires = wires
        self.timers = timers
    }

    /// Gives the chip a timer; called once, when the machine is assembled.
    func connectTimer() {
        guard let timers else { return }
        let resident: any BoardResident = self
        // SAFETY: before the machine runs.
        unsafe timerSlot = timers.addSlot { [weak resident] in resident?.refresh() }
    }

    /// Calls `body` with the chip, then does all that follows a change.
    @discardableResult
    func change<T>(_ body: (Chip) -> T) -> T {
        // SAFETY: all within the lock; what leaves it is the work, which the chip has given away.
        nonisolated(unsafe) var work: DeviceWork?
        nonisolated(unsafe) var result: T?
        nonisolated(unsafe) let call = body
        let levelsChanged = lock.withLock { _ in
            unsafe result = call(chip)
            unsafe work = chip.takeWork()
            armTimer()
            let levels = unsafe chip.interruptLevels
            return published.exchange(levels, ordering: .acquiringAndReleasing) != levels
        }
        if levelsChanged { driveWires() }
        // SAFETY: this thread's own now.
        unsafe work?()
        guard let result = unsafe result else { preconditionFailure("the lock runs what it is given") }
        return result
    }

    private func armTimer() {
        // SAFETY: under `lock`; see the fields.
        guard let timers, let slot = unsafe timerSlot else { return }
        let deadline = unsafe chip.deadline
        guard unsafe deadline != nil || armed != nil else { return }
        unsafe armed = deadline
        timers.arm(slot: slot, deadline: deadline)
    }

    private func driveWires() {
        driven.withLock { driven in
            let levels = published.load(ordering: .acquiring)
            var changed = levels ^ driven
            driven = levels
            while changed != 0 {
                let output = changed.trailingZeroBitCount
                changed &= changed &- 1
                if output < wires.count { wires[output]?.set(levels >> UInt64(output) & 1 != 0) }
            }
        }
    }

    // MARK: Bus

    func busRead(at offset: UInt64, width: AccessWidth) -> UInt64 {
        reads.wrappingAdd(1, ordering: .relaxed)
        return change { $0.read(at: offset, width: width) }
    }

    func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        writes.wrappingAdd(1, ordering: .relaxed)
        change { $0.write(value, at: offset, width: width) }
    }

    // MARK: Board

    func reset() { change { $0.reset() } }

    func refresh() { change { _ in } }

    var counters: [(name: String, count: UInt64)] {
        [("reads", reads.load(ordering: .relaxed)), ("writes", writes.load(ordering: .relaxed))]
            + change { ($0 as? any CountingChip)?.counts ?? [] }
    }
}

/// What sits on a board, whatever its chip: what the machine does with all of them.
protocol BoardResident: AnyObject, Sendable {
    var name: String { get }
    /// Back to the state after power-on.
    func reset()
    /// Looks at the levels and deadlines anew: time has passed.
    func refresh()
    /// Counters for statistics.
    var counters: [(name: String, count: UInt64)] { get }
}
