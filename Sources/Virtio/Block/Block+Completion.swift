// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension BlockDevice {
    /// The backend has ended the operation of `token`. Called once for each, in any order, under the device's lock.
    public func complete(_ token: UInt64, _ result: BlockResult) {
        guard let index = endRequest(token), index < slots.count, var slot = slots[index] else { return }
        slot.outstanding -= 1
        if slot.result == .ok { slot.result = BlockStatus(result) }
        if slot.outstanding == 0, slot.flushesAfter, slot.result == .ok {
            // The data is written, not yet durable: the same request goes on with a flush.
            slot.flushesAfter = false
            slot.outstanding = 1
            submissions.append(BlockRequest(token: core.ledger.begin(slot: index), operation: .flush))
        }
        guard slot.outstanding == 0 else {
            slots[index] = slot
            return
        }
        slots[index] = nil
        freeSlots.append(index)
        finish(slot)
        core.publishUsed(0)
        // There is a slot again for what the driver made available meanwhile.
        if core.isRunning { processQueue() }
    }

    /// Tells the driver how its request ended, once the used ring is published.
    func finish(_ slot: BlockSlot) {
        guard core.isRunning, core.queues[0].isReady, core.queues[0].epoch == slot.epoch else { return }
        let done = slot.result == .ok
        // The backend may have written after the hook was told at the start: tell it again, for the dirty log.
        for segment in slot.data { core.memory.noteWrite(at: segment.address, count: segment.count) }
        core.memory.store(slot.result.rawValue, at: slot.status.address)
        // The bytes written from the start of the buffer (virtio 1.2 §2.7.8.2): data, then the status byte behind it.
        let length = done ? slot.toGuest + 1 : slot.data.isEmpty ? 1 : 0
        core.queues[0].pushUsed(slot.head, length: UInt32(truncatingIfNeeded: length))
        if done {
            core.counters.bytesToGuest &+= slot.toGuest
            core.counters.bytesFromGuest &+= slot.fromGuest
        } else {
            core.counters.errors &+= 1
        }
    }
}

extension BlockStatus {
    init(_ result: BlockResult) {
        switch result {
        case .done: self = .ok
        case .failed: self = .ioError
        case .unsupported: self = .unsupported
        }
    }
}
