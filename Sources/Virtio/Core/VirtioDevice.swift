// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A virtio device without its transport: what it does with its queues. Negotiation, queue set-up and interrupts are
/// the same for all and live in `DeviceCore`; how a driver reaches them is the transport's.
///
/// Like every chip it is called with its adaptor's lock held and calls nobody: what is to be done outside comes out of
/// `takeWork`.
public protocol VirtioDevice: AnyObject {
    /// The state that all devices have.
    var core: DeviceCore { get }
    /// Whether `features`, all of them offered, go together (virtio 1.2 §2.2.2). Asked when the driver sets FEATURES_OK.
    func accepts(_ features: FeatureBits) -> Bool
    /// The driver is ready: all queues may hold buffers. Also called when the last request from before a reset has
    /// ended and the driver was ready before that.
    func activate()
    /// Queue `queue`, which is ready, has new buffers.
    func notify(queue: Int)
    /// Forget all that the driver did. Requests with the backend are in the core's ledger.
    func reset()
    /// The driver wrote to the configuration space.
    func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth)
    /// What is to be done outside since it was last asked, or nil.
    func takeWork() -> DeviceWork?
}

extension VirtioDevice {
    public func accepts(_ features: FeatureBits) -> Bool { true }
    public func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth) {}
    public func takeWork() -> DeviceWork? { nil }
}
