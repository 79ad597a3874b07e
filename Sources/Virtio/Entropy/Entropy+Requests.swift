// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension EntropyDevice {
    /// Takes buffers as long as one fetch can serve them.
    func collect() {
        repeat {
            while wanted < Self.largestFetch, let chain = core.popAvailable(0) {
                // virtio 1.2 §5.4.6.2: at least one byte goes into each buffer.
                guard chain.writableCount > 0 else { return core.breakDown(.malformedRequest) }
                waiting.append(chain)
                count(chain)
            }
        } while wanted < Self.largestFetch && core.isRunning && core.queues[0].armNotifications()
    }

    private func count(_ chain: DescriptorChain) {
        let most = UInt64(Self.largestFetch)
        wanted = Int(min(most, UInt64(wanted) + min(most, chain.writableCount)))
    }

    /// The source answered; what to ask it for next, which is nothing when the fetching is over.
    func deliver(_ bytes: [UInt8], for fetch: Fetch) -> Fetch {
        if fetch.generation == core.generation { fill(bytes.prefix(fetch.count)) }
        collect()
        isFetching = wanted > 0 && !isStarved
        return Fetch(count: isFetching ? wanted : 0, generation: core.generation)
    }

    private func fill(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes.prefix(wanted)
        var served = 0
        for chain in waiting where !rest.isEmpty {
            let written = core.memory.scatter(rest, over: chain.writable)
            rest = rest.dropFirst(written)
            core.queues[0].pushUsed(chain.head, length: UInt32(written))
            core.counters.requests &+= 1
            core.counters.bytesToGuest &+= UInt64(written)
            served += 1
        }
        waiting.removeFirst(served)
        wanted = 0
        for chain in waiting { count(chain) }
        isStarved = served == 0
        core.publishUsed(0)
    }
}
