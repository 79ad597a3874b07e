// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What every virtio device has, whatever its type and transport: status, features, queues, configuration space,
/// interrupt causes and counters. The device and its transport share it, under one lock.
public final class DeviceCore {
    /// The guest's RAM.
    public let memory: GuestMemory
    /// The device type (virtio 1.2 §5).
    public let deviceID: UInt32
    /// What the device offers; bits that are not set here never come to be negotiated.
    public let offeredFeatures: FeatureBits
    /// The queues by index.
    public let queues: [VirtQueue]
    /// What the device has done since power-on.
    public internal(set) var counters = DeviceCounters()

    /// Brings work that was done outside back in: runs a closure under the device's lock and then does all that an
    /// access to the device is followed by. The board sets it to its adaptor's way of doing so before the first
    /// access; without a board there is no lock, and the closure just runs.
    public var reenter: (_ change: () -> Void) -> Void = { $0() }

    /// What the driver accepts; settled once the status has FEATURES_OK.
    public internal(set) var driverFeatures: FeatureBits = []
    /// The status as device and driver have set it. What a driver reads is `visibleStatus`.
    var status: DeviceStatus = []
    var config: ConfigSpace
    /// Changes when the driver reads a configuration space that changed since it last read (§2.5, §4.1.4.3.1): so it
    /// cannot wrap to the same value between two reads.
    public private(set) var configGeneration: UInt32 = 0
    private var configChanged = false
    var ledger = RequestLedger()

    /// Bit 0: a buffer was used, not set where messages tell it. Bit 1: the configuration changed (§4.1.4.5, §4.2.2).
    public internal(set) var interruptStatus: UInt8 = 0
    /// The transport sends messages: causes collect in `pendingMessages`.
    var signalsByMessage = false
    /// Bit n: queue n has used buffers to tell of. Bit 63: the configuration changed.
    var pendingMessages: UInt64 = 0

    /// A device of type `deviceID` with queues of up to `queueSizes` descriptors and `configSize` bytes of
    /// configuration space.
    init(
        memory: GuestMemory, deviceID: UInt32, features: FeatureBits, queueSizes: [UInt16], configSize: Int
    ) {
        precondition(queueSizes.count < 63, "a device has at most 62 queues")
        self.memory = memory
        self.deviceID = deviceID
        self.offeredFeatures = features.union(.common)
        self.queues = queueSizes.map { VirtQueue(memory: memory, maximumSize: $0) }
        self.config = ConfigSpace(count: configSize)
    }

    /// The transport may not reach memory until the driver resets the device.
    var isCutOff = false

    /// Whether queues are processed: the driver is ready, nothing broke, and no request from before a reset is left.
    public var isRunning: Bool {
        !isCutOff && status.isSuperset(of: [.driverOK, .featuresOK]) && status.isDisjoint(with: [.needsReset, .failed])
            && ledger.draining == 0
    }

    /// Whether the driver has accepted `feature`, and that is settled.
    public func hasFeature(_ feature: FeatureBits) -> Bool {
        status.contains(.featuresOK) && driverFeatures.isSuperset(of: feature)
    }

    /// Counts resets, so that what comes back from outside can tell whether it is still wanted.
    var generation: UInt32 { ledger.generation }

    /// The number of requests that a backend still works on, those from before a reset included. Zero means that
    /// nothing but the guest's vCPUs changes its memory for this device.
    public var requestsUnderWay: Int { ledger.current + ledger.draining }

    /// The next buffer of queue `index`, or nil where there is none. A driver that breaks the rules gets its device
    /// stopped.
    func popAvailable(_ index: Int) -> DescriptorChain? {
        guard isRunning else { return nil }
        switch queues[index].popAvailable() {
        case .chain(let chain): return chain
        case .none: return nil
        case .fault(let fault):
            breakDown(fault)
            return nil
        }
    }

    /// Shows the driver the buffers pushed to queue `index`, with an interrupt if it wants one.
    func publishUsed(_ index: Int) {
        guard isRunning, queues[index].publishUsed() else { return }
        counters.interrupts &+= 1
        if signalsByMessage { pendingMessages |= 1 << UInt64(index) } else { interruptStatus |= 1 }
    }

    /// The driver broke the rules: nothing is processed any more until it resets the device (§2.1.2).
    func breakDown(_ fault: QueueFault) {
        guard !status.contains(.needsReset) else { return }
        counters.faults &+= 1
        lastFault = fault
        status.insert(.needsReset)
        if status.contains(.driverOK) { raiseConfigInterrupt() }
    }

    /// Why the device last asked for a reset.
    public private(set) var lastFault: QueueFault?

    /// Changes the configuration space; the driver is told if it is ready.
    func changeConfig(_ change: (inout ConfigSpace) -> Void) {
        change(&config)
        configChanged = true
        if isRunning { raiseConfigInterrupt() }
    }

    /// The driver reads the configuration space.
    func readConfig(at offset: UInt64, width: AccessWidth) -> UInt64 {
        if configChanged {
            configChanged = false
            configGeneration &+= 1
        }
        return config.read(at: offset, width: width)
    }

    private func raiseConfigInterrupt() {
        counters.interrupts &+= 1
        // §4.1.4.5.1: the bit is set with messages too.
        interruptStatus |= 2
        if signalsByMessage { pendingMessages |= 1 << 63 }
    }
}
