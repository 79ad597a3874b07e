// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The block device (virtio 1.2 §5.2): one queue of requests, each a header, data and a status byte.
///
/// A request is checked and handed to the backend by `takeWork`; the backend moves the data straight to and from guest
/// memory and answers through `complete`. As many are under way as the queue has descriptors.
public final class BlockDevice: VirtioDevice {
    public let core: DeviceCore
    let backend: any BlockBackend
    /// The disk refuses writes.
    let isReadOnly: Bool
    /// The disk's size in bytes as the guest knows it.
    var capacity: UInt64

    /// Requests under way by slot.
    var slots: [BlockSlot?]
    /// The slots that are free, as a stack.
    var freeSlots: [Int]
    /// Operations for the backend that `takeWork` has not yet taken.
    var submissions: [BlockRequest] = []
    /// A reset left requests with the backend, which need not begin those that wait there.
    private var owesCancel = false

    /// A disk on `backend`. The board passes on each of the backend's answers to `complete`.
    public init(memory: GuestMemory, backend: any BlockBackend) {
        self.backend = backend
        isReadOnly = backend.isReadOnly
        capacity = backend.capacity
        slots = Array(repeating: nil, count: Int(Self.queueSize))
        freeSlots = Array(slots.indices)
        core = DeviceCore(
            memory: memory, deviceID: 2, features: Self.features(of: backend), queueSizes: [Self.queueSize],
            configSize: BlockConfig.size)
        writeConfigFields()
    }

    public func activate() { notify(queue: 0) }

    public func notify(queue: Int) { processQueue() }

    public func reset() {
        for index in slots.indices { slots[index] = nil }
        freeSlots = Array(slots.indices)
        // What the backend was not given yet will not be answered.
        for request in submissions { _ = core.ledger.end(request.token) }
        submissions.removeAll(keepingCapacity: true)
        owesCancel = core.requestsUnderWay > 0
    }

    public func takeWork() -> DeviceWork? {
        guard owesCancel || !submissions.isEmpty else { return nil }
        let batch = submissions
        submissions.removeAll(keepingCapacity: true)
        let (cancels, generation) = (owesCancel, core.generation)
        owesCancel = false
        return { [backend] in
            if cancels { backend.cancel { RequestLedger.isStale($0, in: generation) } }
            if !batch.isEmpty { backend.submit(batch) }
        }
    }

    /// The disk's size changed to what the backend says now: tells the driver (§5.2.4).
    public func capacityChanged() {
        capacity = backend.capacity
        core.changeConfig { $0.set(capacity / BlockConfig.sectorSize, at: BlockConfig.capacity) }
    }
}

/// A request under way.
struct BlockSlot {
    /// What the driver knows the buffer by, and the time of the queue it belongs to.
    let head: UInt16
    let epoch: UInt32
    /// Where the status byte goes: the last byte that the device may write.
    let status: MemorySegment
    /// What the backend writes.
    var data: [MemorySegment] = []
    /// Bytes moved if all goes well.
    var toGuest: UInt64 = 0
    var fromGuest: UInt64 = 0
    /// Operations that the backend has not answered yet.
    var outstanding = 0
    /// A flush follows before the driver is told.
    var flushesAfter = false
    /// The worst answer so far.
    var result = BlockStatus.ok
}

/// The status byte of a request (virtio 1.2 §5.2.6).
enum BlockStatus: UInt8 {
    case ok = 0
    case ioError = 1
    case unsupported = 2
}
