// SPDX-License-Identifier: Apache-2.0

extension VirtQueue {
    /// Gives the buffer `head` back to the driver with `length` bytes written from its start. The driver sees it, and
    /// all others pushed since, at the next `publishUsed` (virtio 1.2 §2.7.8).
    public func pushUsed(_ head: UInt16, length: UInt32) {
        guard let rings else { return }
        let entry = usedEntry(nextUsed)
        rings.used.store32(UInt32(head), at: entry, memory)
        rings.used.store32(length, at: entry + 4, memory)
        nextUsed &+= 1
    }

    /// Shows the driver what was pushed; whether it wants to be interrupted for it (§2.7.7.2).
    public func publishUsed() -> Bool {
        guard let rings, nextUsed != publishedUsed else { return false }
        let before = publishedUsed
        // §2.7.8.2: the entries are written before the index.
        rings.used.storeRelease16(nextUsed, at: 2, memory)
        publishedUsed = nextUsed
        // The driver sets its wish, then looks at the index; the device does both the other way round. Without a full
        // fence on each side both could read the old value, and the buffer would wait for ever.
        storeLoadFence()
        guard usesEventIndex else { return rings.available.load16(at: 0) & 1 == 0 }
        let event = rings.available.load16(at: 4 + 2 * UInt64(size))
        // Whether `event` is among the entries just published, in arithmetic mod 2^16.
        return nextUsed &- event &- 1 < nextUsed &- before
    }

    /// Asks for a notification at the next buffer made available (§2.7.10.2); true if one came in meanwhile, which may
    /// not be notified any more.
    public func armNotifications() -> Bool {
        guard let rings else { return false }
        if usesEventIndex {
            rings.used.store16(nextAvailable, at: 4 + 8 * UInt64(size), memory)
        } else {
            rings.used.store16(0, at: 0, memory)
        }
        // As in `publishUsed`, the other way round.
        storeLoadFence()
        return rings.available.load16(at: 2) != nextAvailable
    }

    /// Tells the driver that notifications are of no use now: the device looks by itself. With an event index there is
    /// nothing to say: the old index is passed already.
    public func disarmNotifications() {
        guard let rings, !usesEventIndex else { return }
        rings.used.store16(1, at: 0, memory)
    }
}
