// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// From the host to the guest.
extension ConsoleDevice {
    /// Bytes from the backend of port `port`; how many the guest's buffers took. The backend keeps the rest until
    /// `resume()`. A port that nothing in the guest has open takes none. Called under the device's lock.
    public func deliver(_ bytes: ArraySlice<UInt8>, port number: Int) -> Int {
        guard let port = livePort(number) else { return bytes.count }
        guard core.isRunning, port.isGuestOpen, core.queues[port.receiveQueue].isReady else {
            port.isStarved = true
            return 0
        }
        var rest = bytes
        while !rest.isEmpty, let chain = nextBuffer(for: port) {
            guard chain.writableCount > 0 else {
                core.breakDown(.malformedRequest)
                break
            }
            let written = core.memory.scatter(rest, over: chain.writable)
            rest = rest.dropFirst(written)
            core.queues[port.receiveQueue].pushUsed(chain.head, length: UInt32(written))
            core.counters.requests &+= 1
            core.counters.bytesToGuest &+= UInt64(written)
        }
        core.publishUsed(port.receiveQueue)
        if !rest.isEmpty { port.isStarved = true }
        return bytes.count - rest.count
    }

    private func nextBuffer(for port: ConsolePort) -> DescriptorChain? {
        if let chain = core.popAvailable(port.receiveQueue) { return chain }
        // Ask for a notification; what came in before that was visible is taken at once.
        guard core.isRunning, core.queues[port.receiveQueue].armNotifications() else { return nil }
        return core.popAvailable(port.receiveQueue)
    }

    /// The guest has buffers again, or has opened the port.
    func noteReceiveBuffers(_ port: ConsolePort) {
        guard port.isStarved, port.isGuestOpen else { return }
        port.isStarved = false
        port.owesResume = true
    }
}
