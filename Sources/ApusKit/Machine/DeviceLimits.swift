// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import Machines
import Synchronization
import VMMemory

/// The limits of one disk: the disk itself is made when the machine's memory is.
final class DiskLimits: Sendable {
    private struct State {
        var limits: RateLimits
        var disk: LimitedDisk?
    }

    private let state: Mutex<State>
    private let timer: LimitTimer

    init(_ limits: IOLimits, loop: EventLoop) {
        state = Mutex(State(limits: RateLimits(limits)))
        timer = LimitTimer(loop)
    }

    /// The disk over `file` within the limits.
    func open(
        _ file: DiskFile, memory: GuestMemory, serial: String, completion: @escaping DiskAttachment.Completion
    ) throws(HostError) -> OpenDisk {
        let raw = try RawDisk(file, memory: memory, serial: serial, completion: completion)
        let limited = state.withLock { state in
            let disk = LimitedDisk(raw, limits: state.limits, timer: timer, completion: completion)
            state.disk = disk
            return disk
        }
        let flow = DeviceFlow(
            suspend: { limited.suspend() }, proceed: { limited.proceed() },
            counters: { limited.counts.named("delayed") })
        return OpenDisk(
            limited, flow: flow, drain: { raw.drain() },
            close: {
                limited.close()
                raw.close()
            })
    }

    /// Other limits from now on.
    func set(_ limits: IOLimits) {
        let rates = RateLimits(limits)
        let disk = state.withLock { state in
            state.limits = rates
            return state.disk
        }
        disk?.setLimits(rates)
    }
}

extension NetworkAttachment {
    /// `base` within the limits of `network`; `connect` and `close` are the base's.
    init(
        _ network: LimitedNetwork, address: [UInt8], connect: @escaping @Sendable (@escaping Delivery) -> Void,
        close: @escaping @Sendable () -> Void
    ) {
        let flow = DeviceFlow(
            suspend: { network.suspend() }, proceed: { network.proceed() },
            counters: {
                let counts = network.counts
                return counts.fromGuest.named("delayed-from-guest") + counts.toGuest.named("delayed-to-guest")
            })
        self.init(
            network, address: address, flow: flow, connect: { connect(network.limiting($0)) },
            connectRoom: { network.connectRoom($0) }, close: close)
    }
}

extension LimitCounts {
    /// The counters as statistics call them: how many, and how long together.
    fileprivate func named(_ name: String) -> [(name: String, count: UInt64)] {
        [(name, delayed), ("\(name)-microseconds", delayNanoseconds / 1000)]
    }
}

extension RateLimits {
    init(_ limits: IOLimits) {
        self.init(
            bytes: limits.bytesPerSecond.map { Rate(perSecond: $0, burst: limits.bytesBurst) },
            operations: limits.operationsPerSecond.map { Rate(perSecond: $0, burst: limits.operationsBurst) })
    }
}

extension InProcessMachine {
    /// Checks that the limits in `settings` are of devices that the machine has.
    func validateLimits(_ settings: MachineSettings) throws(VirtualMachineError) {
        try settings.validateLimits(diskCount: devices.diskLimits.count, networkCount: devices.limitedNetworks.count)
    }

    /// Puts the limits in `settings`, which were checked, in force while the machine runs.
    func applyLimits(_ settings: MachineSettings) {
        guard settings.diskLimits != nil || settings.networkLimits != nil else { return }
        let devices = devices
        // On the devices' loop, with which vCPUs share the locks of disks and networks anyway.
        devices.queue.post {
            for change in settings.diskLimits ?? [] { devices.diskLimits[change.device].set(change.limits) }
            for change in settings.networkLimits ?? [] {
                devices.limitedNetworks[change.device].setLimits(RateLimits(change.limits))
            }
        }
    }
}
