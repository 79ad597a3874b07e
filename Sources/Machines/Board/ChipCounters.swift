// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Virtio

/// A chip with counters of its own. Called under the chip's lock.
protocol CountingChip: AnyObject {
    var counts: [(name: String, count: UInt64)] { get }
}

extension UART16550: CountingChip {
    var counts: [(name: String, count: UInt64)] { [("dropped-bytes", droppedOutput)] }
}

extension PVPanic: CountingChip {
    var counts: [(name: String, count: UInt64)] {
        [("panics", told.panicked), ("crash-kernels", told.crashLoaded), ("shutdowns", told.shutdown)]
    }
}

extension MMIOTransport: CountingChip {
    var counts: [(name: String, count: UInt64)] { device.counts }
}

extension PCITransport: CountingChip {
    var counts: [(name: String, count: UInt64)] { device.counts }
}

extension VirtioDevice {
    /// What all devices count, and what this one does.
    fileprivate var counts: [(name: String, count: UInt64)] {
        guard let pages = (self as? BalloonDevice)?.pages else { return core.counters.named }
        return core.counters.named + [
            ("inflated-pages", pages.inflated), ("deflated-pages", pages.deflated),
            ("reported-pages", pages.reported), ("statistics", pages.statistics),
        ]
    }
}

extension DeviceCounters {
    /// The counters by the names that statistics say.
    var named: [(name: String, count: UInt64)] {
        [
            ("requests", requests), ("bytes-to-guest", bytesToGuest), ("bytes-from-guest", bytesFromGuest),
            ("errors", errors), ("notifications", notifications), ("interrupts", interrupts), ("resets", resets),
            ("faults", faults),
        ]
    }
}
