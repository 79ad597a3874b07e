// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import VMMemory
import Virtio

extension MachineLife: MachineLiving {
    var memory: GuestMemory { board.memory }
    var vcpuCount: Int { board.vcpus.count }

    func statuses() -> [VCPUStatus] {
        board.vcpus.map { vcpu in
            let sample = vcpu.lastSample
            return VCPUStatus(
                id: vcpu.id, engine: configuration.engineName, ring: sample.ring, pc: sample.pc,
                activity: sample.activity, lastExit: sample.lastExit, retired: sample.retired)
        }
    }

    func statistics() -> MachineStatistics {
        let harts = board.vcpus.map { vcpu in
            let sample = vcpu.lastSample
            return MachineStatistics.HartSample(
                id: vcpu.id, retired: sample.retired, counters: sample.counters.named, exits: sample.exits.named)
        }
        return MachineStatistics(
            virtualNanoseconds: board.clock.nanoseconds, startCPUNanoseconds: startCPU.load(ordering: .relaxed),
            resets: shared.withLock { $0.resets }, vcpuWaits: waits.load(ordering: .relaxed), harts: harts,
            devices: board.residents.map {
                MachineStatistics.DeviceSample(
                    name: $0.name, counters: $0.counters + board.bay.flowCounters(of: $0.name))
            }, memory: memoryUse, mappings: mappings)
    }

    func resizeConsole(columns: UInt16, rows: UInt16) {
        _ = board.bay.console?.change { $0.resize(columns: columns, rows: rows) }
    }

    func discard() {
        let wasStarted = shared.withLock { $0.state != .ready }
        if wasStarted { post(.stop) } else { board.bay.close() }
    }
}
