// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// What a driver does to any device, as transports pass it on.
extension VirtioDevice {
    /// The status as the driver reads it.
    ///
    /// After a reset, requests of before may still be with the backend, writing buffers that the driver will reuse as
    /// soon as it reads 0 (virtio 1.2 §2.4.2). Nobody can wait here, so until the last has ended the field reads
    /// ACKNOWLEDGE. A driver that does not look (MMIO drivers seldom do) may go on with its set-up, to which that bit
    /// is harmless; its queues are processed from when the last has ended.
    var visibleStatus: DeviceStatus {
        core.status.isEmpty && core.ledger.draining > 0 ? .acknowledge : core.status
    }

    /// The driver wrote the status field. `requiresVersion1`: refuse a driver that does not know the standard (§6.2).
    func writeStatus(_ value: UInt8, requiresVersion1: Bool) {
        guard value != 0 else { return resetByDriver() }
        var written = DeviceStatus(rawValue: value)
        // Bits are never cleared but by a reset (§2.1.1), and one is the device's own.
        written.remove(.needsReset)
        written.subtract(core.status)

        if written.contains(.featuresOK), !settleFeatures(requiresVersion1: requiresVersion1) {
            written.remove(.featuresOK)
        }
        // Without settled features there is nothing to run by (§3.1.1).
        if !core.status.union(written).contains(.featuresOK) { written.remove(.driverOK) }
        core.status.formUnion(written)
        if written.contains(.driverOK), core.isRunning { activate() }
    }

    private func settleFeatures(requiresVersion1: Bool) -> Bool {
        let features = core.driverFeatures
        guard core.offeredFeatures.isSuperset(of: features),
            !requiresVersion1 || features.contains(.version1), accepts(features)
        else { return false }
        for queue in core.queues { settle(queue, features) }
        return true
    }

    private func settle(_ queue: VirtQueue, _ features: FeatureBits) {
        queue.usesEventIndex = features.contains(.eventIndex)
        queue.allowsIndirect = features.contains(.indirectDescriptors)
    }

    private func resetByDriver() {
        core.counters.resets &+= 1
        resetToPowerOn()
    }

    /// All as after power-on but for requests with the backend and the counters.
    func resetToPowerOn() {
        reset()
        core.reset()
    }

    /// The driver wrote 32 bits of its features. Once settled they stay (§3.1.1).
    func writeDriverFeatures(_ value: UInt32, word: UInt32) {
        guard !core.status.contains(.featuresOK) else { return }
        core.driverFeatures = core.driverFeatures.replacing(word: word, with: value)
    }

    /// The driver enables queue `index`.
    func enableQueue(_ index: Int) {
        let queue = core.queues[index]
        guard !queue.isReady else { return }
        if let fault = queue.enable() { return core.breakDown(fault) }
        if core.status.contains(.featuresOK) { settle(queue, core.driverFeatures) }
    }

    /// The driver changes where queue `index` lies. One that is ready stays where it is: a driver may not move it
    /// (§4.2.2.2, §4.1.4.3.2).
    func changeLayout(ofQueue index: Int, _ change: (inout VirtQueue.Layout) -> Void) {
        guard !core.queues[index].isReady else { return }
        change(&core.queues[index].layout)
    }

    /// The driver notified queue `index`: any number, at any time (§2.3).
    func notifyFromDriver(queue index: UInt64) {
        core.counters.notifications &+= 1
        guard core.isRunning, index < UInt64(core.queues.count), core.queues[Int(index)].isReady else { return }
        notify(queue: Int(index))
    }

    /// A backend's answer to `token` came in: its slot, or nil where it is of no use any more. Ends a reset that waited
    /// for it.
    func endRequest(_ token: UInt64) -> Int? {
        switch core.ledger.end(token) {
        case .current(let slot): return slot
        case .unknown: return nil
        case .stale:
            if core.isRunning { activate() }
            return nil
        }
    }
}

extension DeviceCore {
    fileprivate func reset() {
        status = []
        isCutOff = false
        driverFeatures = []
        interruptStatus = 0
        pendingMessages = 0
        ledger.reset()
        for queue in queues { queue.reset() }
    }
}
