// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension NetworkDevice {
    /// A frame from outside for the guest. False where the driver has no buffers for it now: the backend keeps it until
    /// `resume()`. A frame that nobody would take in hardware either (no driver, no link, filtered, of a size that does
    /// not exist) is dropped, and the answer is true.
    public func deliver(_ frame: [UInt8]) -> Bool {
        guard core.isRunning, core.queues[Queue.receive].isReady, isLinkUp,
            NetworkHeader.frameSizes.contains(frame.count)
        else {
            core.counters.errors &+= 1
            return true
        }
        guard filter.accepts(frame, for: address) else { return true }

        switch takeBuffers(for: headerSize + frame.count) {
        case .none: return false
        case .tooSmall:
            core.counters.errors &+= 1
            return true
        case .some(let chains):
            put(frame, into: chains)
            return true
        }
    }

    private enum Buffers {
        case some([DescriptorChain])
        case none
        /// All that the driver can ever offer would not hold it.
        case tooSmall
    }

    private func takeBuffers(for needed: Int) -> Buffers {
        let queue = core.queues[Queue.receive]
        let limit = core.hasFeature(.networkMergeableBuffers) ? Int(queue.size) : 1
        var chains: [DescriptorChain] = []
        var room: UInt64 = 0
        while room < UInt64(needed) {
            if chains.count == limit {
                queue.unpopAvailable(chains.count)
                return .tooSmall
            }
            if let chain = core.popAvailable(Queue.receive) {
                // virtio 1.2 §5.1.6.3.1: each holds at least the header.
                guard chain.writableCount >= UInt64(headerSize) else {
                    core.breakDown(.malformedRequest)
                    return .tooSmall
                }
                room += chain.writableCount
                chains.append(chain)
                continue
            }
            // A driver that broke the rules just now has no buffers ever; the backend need not wait.
            guard core.isRunning else { return .tooSmall }
            // Ask for a notification behind what there is; what came in before that was visible is taken at once.
            if queue.armNotifications() {
                queue.disarmNotifications()
                continue
            }
            queue.unpopAvailable(chains.count)
            isStarved = true
            return .none
        }
        return .some(chains)
    }

    private func put(_ frame: [UInt8], into chains: [DescriptorChain]) {
        let queue = core.queues[Queue.receive]
        var header = [UInt8](repeating: 0, count: headerSize)
        if header.count > NetworkHeader.bufferCount {
            // virtio 1.2 §5.1.6.4.1: one, too, where buffers are not merged.
            header[NetworkHeader.bufferCount] = UInt8(truncatingIfNeeded: chains.count)
            header[NetworkHeader.bufferCount + 1] = UInt8(truncatingIfNeeded: chains.count >> 8)
        }
        var rest = frame[...]
        for (index, chain) in chains.enumerated() {
            let skip = index == 0 ? core.memory.scatter(header[...], over: chain.writable) : 0
            let written = core.memory.scatter(rest, over: chain.writable, from: UInt64(skip))
            rest = rest.dropFirst(written)
            queue.pushUsed(chain.head, length: UInt32(skip + written))
        }
        core.counters.requests &+= 1
        core.counters.bytesToGuest &+= UInt64(frame.count)
        core.publishUsed(Queue.receive)
    }

    /// The driver has added receive buffers.
    func noteReceiveBuffers() {
        guard isStarved else { return }
        isStarved = false
        owesResume = true
        core.queues[Queue.receive].disarmNotifications()
    }
}
