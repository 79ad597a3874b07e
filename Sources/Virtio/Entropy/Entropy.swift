// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The entropy device (virtio 1.2 §5.4): one queue of buffers to fill with random bytes; no features, no configuration.
public final class EntropyDevice: VirtioDevice {
    public let core: DeviceCore
    let source: any EntropySource

    /// Buffers taken that wait for bytes; no more than the queue is long.
    var waiting: [DescriptorChain] = []
    /// What `waiting` is to get, at most `Self.largestFetch` bytes.
    var wanted = 0
    /// The source is asked now; the answer comes in by `core.reenter`.
    var isFetching = false
    /// The source had nothing: asked again when the driver adds a buffer.
    var isStarved = false

    /// What the source is asked for, and in which generation of the device.
    struct Fetch {
        var count: Int
        var generation: UInt32
    }

    /// The most bytes asked of the source at a time. A driver that wants more gets it in parts: a buffer may come back
    /// partly filled (§5.4.6.2).
    static var largestFetch: Int { 64 << 10 }

    /// A device that fills buffers from `source`.
    public init(memory: GuestMemory, source: any EntropySource) {
        self.source = source
        core = DeviceCore(memory: memory, deviceID: 4, features: [], queueSizes: [256], configSize: 0)
    }

    public func activate() { notify(queue: 0) }

    public func notify(queue: Int) {
        isStarved = false
        collect()
    }

    public func reset() {
        waiting.removeAll(keepingCapacity: true)
        wanted = 0
        isStarved = false
    }

    public func takeWork() -> DeviceWork? {
        guard !isFetching, !isStarved, wanted > 0 else { return nil }
        isFetching = true
        var fetch = Fetch(count: wanted, generation: core.generation)
        return { [self] in
            while fetch.count > 0 {
                let bytes = source.bytes(fetch.count)
                core.reenter { fetch = deliver(bytes, for: fetch) }
            }
        }
    }
}
