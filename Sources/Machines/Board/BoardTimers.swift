// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64
import Synchronization

/// The machine's deadlines in virtual time: one slot a hart and one a device, each with what to do when it has come.
///
/// A slot is armed with the event loop only where that is earlier than what is armed already: a guest sets its timer
/// thousands of times a second, mostly later, and a wake-up that finds nothing due arms again. While virtual time stands
/// nothing fires; `resume()` arms all that waits.
final class BoardTimers: HartTimer {
    private struct Slot {
        /// In virtual nanoseconds.
        var deadline: UInt64?
        /// The virtual time for which the loop will call, or nil.
        var scheduled: UInt64?
        var fire: @Sendable () -> Void
    }

    private let clock: VirtualClock
    private let loop: EventLoop
    private let slots: Mutex<[Slot]>

    /// Timers of which the first `harts` slots are the harts'; `expired` hears of those.
    init(harts: Int, clock: VirtualClock, loop: EventLoop, expired: @escaping @Sendable (_ hart: Int) -> Void) {
        self.clock = clock
        self.loop = loop
        slots = Mutex((0..<harts).map { hart in Slot(fire: { expired(hart) }) })
    }

    /// Adds a slot whose deadline calls `fire` on the loop's thread.
    func addSlot(_ fire: @escaping @Sendable () -> Void) -> Int {
        slots.withLock { slots in
            slots.append(Slot(fire: fire))
            return slots.count - 1
        }
    }

    func arm(hart: Int, deadline: UInt64?) { arm(slot: hart, deadline: deadline) }

    /// Replaces the deadline of `slot`.
    func arm(slot index: Int, deadline: UInt64?) {
        slots.withLock { slots in
            slots[index].deadline = deadline
            schedule(&slots[index], index)
        }
    }

    /// The deadline of `slot` as the host's monotonic clock has it; nil where there is none, or time stands.
    func monotonicDeadline(slot index: Int) -> UInt64? {
        slots.withLock { $0[index].deadline }.flatMap(clock.monotonic)
    }

    /// Arms everything anew after virtual time was started again.
    func resume() {
        slots.withLock { slots in
            for index in slots.indices {
                slots[index].scheduled = nil
                schedule(&slots[index], index)
            }
        }
    }

    private func schedule(_ slot: inout Slot, _ index: Int) {
        guard let deadline = slot.deadline, let moment = clock.monotonic(deadline) else { return }
        if let scheduled = slot.scheduled, scheduled <= deadline { return }
        slot.scheduled = deadline
        loop.schedule(at: moment) { [weak self] in self?.wake(index, deadline) }
    }

    private func wake(_ index: Int, _ scheduled: UInt64) {
        let fire: (@Sendable () -> Void)? = slots.withLock { slots in
            // A call for an earlier arrangement: a newer one is on its way.
            guard slots[index].scheduled == scheduled else { return nil }
            slots[index].scheduled = nil
            guard clock.isRunning, let deadline = slots[index].deadline else { return nil }
            guard deadline <= clock.nanoseconds else {
                schedule(&slots[index], index)
                return nil
            }
            slots[index].deadline = nil
            return slots[index].fire
        }
        fire?()
    }
}
