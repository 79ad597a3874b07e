// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64
import Synchronization
import VMMemory
import Virtio

/// A riscv64 machine with the memory map of QEMU's `virt`.
///
/// Any thread may call it but the one that an event is delivered on. `init` opens and checks everything, `start` runs
/// the harts on threads of their own, and the end comes by the guest's doing or by `stop()`; `waitForEnd()` returns it
/// after the threads of the harts are gone and what was opened is closed.
public final class VirtMachine: Sendable {
    public let configuration: VirtConfiguration
    let core: VirtCore

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    public init(_ configuration: VirtConfiguration) throws(MachineError) {
        self.configuration = configuration
        core = try VirtCore(configuration)
    }

    deinit { core.discard() }

    /// Where the machine is in its life.
    public var state: MachineState { core.state }

    /// Switches on. Throws where the machine was started before, or the host has no memory or threads for it.
    public func start() throws(MachineError) { try core.start() }

    /// Stops the harts, waits until they and the disks are quiet, and stops virtual time. Without effect when paused.
    public func pause() { core.perform(.pause) }

    /// Goes on after `pause()` or a debugger's stop. Without effect while running. Where another hart has run into a
    /// watchpoint meanwhile, that stop is told instead and the machine stays paused.
    public func resume() { core.perform(.resume) }

    /// Begins again from reset, as if the guest had asked for it, whatever `onReset` says.
    public func reset() { core.perform(.reset) }

    /// Ends the machine with `MachineEnd.stopped`, without asking the guest. Returns at once.
    public func stop() { core.post(.stop) }

    /// Waits for the end. Blocks the calling thread.
    public func waitForEnd() -> MachineEnd { core.waitForEnd() }

    /// What each hart is doing.
    public var vcpus: [VCPUStatus] {
        core.refreshSamples()
        return core.board.vcpus.map { vcpu in
            let sample = vcpu.lastSample
            return VCPUStatus(
                id: vcpu.id, engine: core.configuration.engine.rawValue, ring: sample.privilege.letter, pc: sample.pc,
                activity: sample.activity, lastExit: sample.lastExit, retired: sample.retired)
        }
    }

    /// The counters of harts and devices.
    public var statistics: MachineStatistics {
        refreshHarts()
        return lastStatistics
    }

    /// Makes the harts say where they are, for `lastStatistics`. May take a moment.
    public func refreshHarts() { core.refreshSamples() }

    /// The counters of harts, as they last told them, and of devices, whose locks it takes: on the devices' loop no vCPU
    /// waits for it that would not wait for the loop's other work.
    public var lastStatistics: MachineStatistics {
        let harts = core.board.vcpus.map { vcpu in
            let sample = vcpu.lastSample
            return MachineStatistics.HartSample(
                id: vcpu.id, retired: sample.retired, counters: sample.namedCounters, exits: sample.exits.named)
        }
        return MachineStatistics(
            virtualNanoseconds: core.board.clock.nanoseconds,
            startCPUNanoseconds: core.startCPU.load(ordering: .relaxed), resets: core.shared.withLock { $0.resets },
            vcpuWaits: core.waits.load(ordering: .relaxed), harts: harts,
            devices: core.board.residents.map {
                MachineStatistics.DeviceSample(
                    name: $0.name, counters: $0.counters + core.board.bay.flowCounters(of: $0.name))
            }, memory: memoryUse, mappings: mappings)
    }

    /// Gives `body` hart `id` while no hart executes; a running machine stands for as long as that takes. Registers,
    /// memory by virtual address and breakpoints are read and set here. `body` must not call the machine.
    public func withHart<T>(_ id: Int, _ body: (Hart) -> T) -> T {
        precondition(core.board.vcpus.indices.contains(id), "the machine has no hart \(id)")
        return core.whileStanding { [vcpu = core.board.vcpus[id]] in
            // SAFETY: the vCPU is parked, or has no thread.
            unsafe body(vcpu.hart)
        }
    }

    /// Lets one hart of a paused machine execute one instruction while the others stand; nil where it is not paused.
    public func step(hart id: Int) -> DebugStop? {
        precondition(core.board.vcpus.indices.contains(id), "the machine has no hart \(id)")
        guard state == .paused else { return nil }
        return core.whileStanding { core.stepHart(id) }
    }

    /// From the next `resume()` on these harts stand while the others run, until this says something else: a debugger
    /// that lets one hart run alone. They keep what comes for them. For a paused machine.
    public func keepStanding(_ harts: Set<Int>) {
        core.perform(.keepStanding(harts.reduce(0) { $0 | 1 << UInt64($1 & 63) }))
    }

    /// The machine's RAM.
    public var memory: GuestMemory { core.board.memory }

    /// Tells the guest the size of its virtio console's terminals in characters.
    public func resizeConsole(columns: UInt16, rows: UInt16) {
        _ = core.board.bay.console?.change { $0.resize(columns: columns, rows: rows) }
    }
}

extension VirtCore {
    /// Calls `body` on the calling thread while no hart executes: where a conductor runs, it holds them meanwhile.
    func whileStanding<T>(_ body: () -> T) -> T {
        let over = WaitGate()
        perform(.visit(over: over))
        defer { over.wake() }
        return body()
    }

    /// The machine's owner is gone.
    func discard() {
        let wasStarted = shared.withLock { $0.state != .ready }
        if wasStarted { post(.stop) } else { board.bay.close() }
    }
}
