// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The network device (virtio 1.2 §5.1): a queue each way and one for commands. No checksum or segmentation offload: a
/// frame is what goes over the wire.
public final class NetworkDevice: VirtioDevice {
    public let core: DeviceCore
    let backend: any NetworkBackend
    /// The guest's address: the one given, until a driver sets another.
    var address: MACAddress
    private let initialAddress: MACAddress
    var filter = ReceiveFilter()
    var isLinkUp = true

    /// Frames copied from the transmit queue that `takeWork` has not yet taken.
    var outgoing: [[UInt8]] = []
    /// Someone is sending now and will come back for more, so that frames leave in order.
    var isSending = false
    /// The backend holds frames: the driver's wait in the queue until it says that it has room.
    var isHeldBack = false
    /// The backend was refused a frame: it is told when there are buffers again.
    var isStarved = false
    /// There are buffers again.
    var owesResume = false

    /// A device of MAC address `address` (six bytes). The board passes on frames from the backend to `deliver`.
    public init(memory: GuestMemory, backend: any NetworkBackend, address: [UInt8]) {
        precondition(address.count == 6, "a MAC address has six bytes")
        self.backend = backend
        initialAddress = MACAddress(address[...])
        self.address = initialAddress
        core = DeviceCore(
            memory: memory, deviceID: 1, features: .network, queueSizes: [256, 256, 64],
            configSize: NetworkConfig.size)
        core.config.set(address, at: NetworkConfig.mac)
        core.config.set(NetworkConfig.linkUp, at: NetworkConfig.status)
    }

    public func accepts(_ features: FeatureBits) -> Bool {
        // virtio 1.2 §5.1.3.1: what is commanded needs the queue for commands.
        features.contains(.networkControlQueue)
            || features.isDisjoint(with: [.networkControlReceive, .networkControlReceiveExtra, .networkControlMAC])
    }

    public func activate() {
        // Receive buffers are looked for when a frame comes: no notification until they run out.
        core.queues[Queue.receive].disarmNotifications()
        for queue in [Queue.receive, Queue.transmit, Queue.control] where core.queues[queue].isReady {
            notify(queue: queue)
        }
    }

    public func notify(queue: Int) {
        switch queue {
        case Queue.receive: noteReceiveBuffers()
        case Queue.transmit: if !isSending, !isHeldBack { collect() }
        default: processCommands()
        }
    }

    public func reset() {
        filter = ReceiveFilter()
        outgoing.removeAll(keepingCapacity: true)
        if address != initialAddress {
            address = initialAddress
            core.config.set(initialAddress.bytes, at: NetworkConfig.mac)
        }
        // Nobody waits for buffers of a driver that is gone: frames are dropped until the next one is ready.
        if isStarved {
            isStarved = false
            owesResume = true
        }
    }

    public func takeWork() -> DeviceWork? {
        let resumes = owesResume
        owesResume = false
        var batch = isSending ? [] : takeOutgoing()
        guard resumes || !batch.isEmpty else { return nil }
        if !batch.isEmpty { isSending = true }
        return { [self] in
            if resumes { backend.resume() }
            while !batch.isEmpty {
                for frame in batch { backend.send(frame) }
                core.reenter { batch = continueSending() }
            }
        }
    }

    /// The backend has room again after it held frames.
    public func resumeSending() {
        isHeldBack = false
        guard !isSending, core.isRunning, core.queues[Queue.transmit].isReady else { return }
        collect()
    }

    /// Plugs the cable in or out (virtio 1.2 §5.1.4). Without a link frames are dropped both ways.
    public func setLink(up: Bool) {
        guard up != isLinkUp else { return }
        isLinkUp = up
        core.changeConfig { $0.set(up ? NetworkConfig.linkUp : UInt16(0), at: NetworkConfig.status) }
    }

    /// The queues by index (§5.1.2).
    enum Queue {
        static var receive: Int { 0 }
        static var transmit: Int { 1 }
        static var control: Int { 2 }
    }
}
