// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension NetworkDevice {
    /// The bytes before each frame, by what was negotiated (virtio 1.2 §5.1.6.1).
    var headerSize: Int {
        core.hasFeature(.version1) || core.hasFeature(.networkMergeableBuffers)
            ? NetworkHeader.size : NetworkHeader.legacySize
    }

    /// Copies frames from the transmit queue, up to a bound; the rest is taken when these are sent.
    func collect() {
        let queue = core.queues[Queue.transmit]
        let headerSize = UInt64(headerSize)
        var bytes = outgoing.reduce(0) { $0 + $1.count }
        queue.disarmNotifications()
        repeat {
            while outgoing.count < Self.batchFrames, bytes < Self.batchBytes,
                let chain = core.popAvailable(Queue.transmit)
            {
                guard chain.readableCount >= headerSize else { return core.breakDown(.malformedRequest) }
                if let frame = frame(in: chain, behind: headerSize) {
                    bytes += frame.count
                    outgoing.append(frame)
                } else {
                    core.counters.errors &+= 1
                }
                core.counters.requests &+= 1
                queue.pushUsed(chain.head, length: 0)
            }
        } while outgoing.count < Self.batchFrames && bytes < Self.batchBytes && core.isRunning
            && queue.armNotifications()
        core.publishUsed(Queue.transmit)
    }

    /// The most frames and about the most bytes copied before they are sent.
    private static var batchFrames: Int { 64 }
    private static var batchBytes: Int { 256 << 10 }

    private func frame(in chain: DescriptorChain, behind header: UInt64) -> [UInt8]? {
        guard isLinkUp, let count = Int(exactly: chain.readableCount - header),
            NetworkHeader.frameSizes.contains(count)
        else { return nil }
        core.counters.bytesFromGuest &+= UInt64(count)
        return core.memory.gather(chain.readable, from: header, count: count)
    }

    func takeOutgoing() -> [[UInt8]] {
        let batch = outgoing
        outgoing = []
        return batch
    }

    /// A batch is sent: the next, or none and the sending is over.
    func continueSending() -> [[UInt8]] {
        // Its telling of room needs the lock that we have: it comes after this look, whatever it finds.
        isHeldBack = backend.isHolding
        if !isHeldBack, core.isRunning, core.queues[Queue.transmit].isReady { collect() }
        let batch = takeOutgoing()
        isSending = !batch.isEmpty
        return batch
    }
}
