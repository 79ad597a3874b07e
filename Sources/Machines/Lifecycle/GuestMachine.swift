// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import VMMemory

/// A machine of any platform.
///
/// Any thread may call it but the one that an event is delivered on. Making one opens and checks everything, `start`
/// runs the vCPUs on threads of their own, and the end comes by the guest's doing or by `stop()`; `waitForEnd()` returns
/// it after the threads of the vCPUs are gone and what was opened is closed.
public protocol GuestMachine: AnyObject, Sendable {
    /// What drives it.
    var control: MachineControl { get }
}

/// What drives a machine, whatever its platform: `GuestMachine` is its face.
public final class MachineControl: Sendable {
    let life: any MachineLiving

    init(_ life: any MachineLiving) { self.life = life }

    deinit { life.discard() }
}

/// A `MachineLife` without its board's type.
protocol MachineLiving: LifeCommandTaker {
    var state: MachineState { get }
    var memory: GuestMemory { get }
    var memoryUse: MachineMemory { get }
    var mappings: [MachineMapping] { get }
    var vcpuCount: Int { get }
    func start() throws(MachineError)
    @discardableResult
    func perform(_ command: LifeCommand) -> Bool
    func waitForEnd() -> MachineEnd
    func refreshSamples()
    func setMemory(_ size: UInt64) throws(MachineError)
    /// What each vCPU last said of itself.
    func statuses() -> [VCPUStatus]
    func statistics() -> MachineStatistics
    func stepVCPU(_ id: Int) -> DebugStop
    func resizeConsole(columns: UInt16, rows: UInt16)
    /// The machine's owner is gone.
    func discard()
}

extension MachineLiving {
    /// Calls `body` on the calling thread while no vCPU executes: where a conductor runs, it holds them meanwhile.
    func whileStanding<T>(_ body: () -> T) -> T {
        let over = WaitGate()
        perform(.visit(over: over))
        defer { over.wake() }
        return body()
    }
}

extension GuestMachine {
    /// Where the machine is in its life.
    public var state: MachineState { control.life.state }

    /// Switches on. Throws where the machine was started before, or the host has no memory or threads for it.
    public func start() throws(MachineError) { try control.life.start() }

    /// Stops the vCPUs, waits until they and the disks are quiet, and stops virtual time. Without effect when paused.
    public func pause() { control.life.perform(.pause) }

    /// Goes on after `pause()` or a debugger's stop. Without effect while running. Where another vCPU has run into a
    /// watchpoint meanwhile, that stop is told instead and the machine stays paused.
    public func resume() { control.life.perform(.resume) }

    /// Begins again from reset, as if the guest had asked for it, whatever `onReset` says.
    public func reset() { control.life.perform(.reset) }

    /// Ends the machine with `MachineEnd.stopped`, without asking the guest. Returns at once.
    public func stop() { control.life.post(.stop) }

    /// Waits for the end. Blocks the calling thread.
    public func waitForEnd() -> MachineEnd { control.life.waitForEnd() }

    /// What each vCPU is doing.
    public var vcpus: [VCPUStatus] {
        control.life.refreshSamples()
        return control.life.statuses()
    }

    /// The counters of vCPUs and devices.
    public var statistics: MachineStatistics {
        refreshHarts()
        return lastStatistics
    }

    /// Makes the vCPUs say where they are, for `lastStatistics`. May take a moment.
    public func refreshHarts() { control.life.refreshSamples() }

    /// The counters of vCPUs, as they last told them, and of devices, whose locks it takes: on the devices' loop no vCPU
    /// waits for it that would not wait for the loop's other work.
    public var lastStatistics: MachineStatistics { control.life.statistics() }

    /// Lets one vCPU of a paused machine execute one instruction while the others stand; nil where it is not paused.
    public func step(hart id: Int) -> DebugStop? {
        let life = control.life
        precondition((0..<life.vcpuCount).contains(id), "the machine has no vCPU \(id)")
        guard state == .paused else { return nil }
        return life.whileStanding { life.stepVCPU(id) }
    }

    /// From the next `resume()` on these vCPUs stand while the others run, until this says something else: a debugger
    /// that lets one vCPU run alone. They keep what comes for them. For a paused machine.
    public func keepStanding(_ vcpus: Set<Int>) {
        control.life.perform(.keepStanding(vcpus.reduce(0) { $0 | 1 << UInt64($1 & 63) }))
    }

    /// The machine's RAM.
    public var memory: GuestMemory { control.life.memory }

    /// Tells the guest the size of its virtio console's terminals in characters.
    public func resizeConsole(columns: UInt16, rows: UInt16) {
        control.life.resizeConsole(columns: columns, rows: rows)
    }

    /// What the guest has of its RAM, and how it uses it.
    public var memoryUse: MachineMemory { control.life.memoryUse }

    /// Changes how much of its RAM the guest is to have, in bytes: the balloon takes the rest. Returns at once; the
    /// guest's driver works towards it. Throws where there is no balloon, or no driver for it.
    public func setMemory(_ size: UInt64) throws(MachineError) { try control.life.setMemory(size) }

    /// Where what the machine costs beside its devices lies in this process.
    public var mappings: [MachineMapping] { control.life.mappings }
}
