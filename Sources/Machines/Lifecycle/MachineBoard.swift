// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import VMMemory

/// The hardware of a machine, wired, as its life needs it. A board has no life of its own: `MachineLife` starts and stops
/// it.
protocol MachineBoard: AnyObject, Sendable {
    associatedtype Processor: GuestProcessor

    var ram: GuestRAM { get }
    var memory: GuestMemory { get }
    var clock: VirtualClock { get }
    var loop: EventLoop { get }
    /// Its first slots are the vCPUs'.
    var timers: BoardTimers { get }
    var vcpus: [VCPU<Processor>] { get }
    /// What each vCPU's engine caches, by vCPU.
    var caches: [CacheMapping] { get }
    var bay: VirtioBay { get }
    var gate: InputGate { get }
    /// Everything that a reset of the machine resets, in order.
    var residents: [any BoardResident] { get }
    var serial: StreamAttachment? { get }

    /// Puts the guest into memory, and the processors to their start. All stand.
    func load() throws(MachineError)
    /// The machine runs for the first time: what the board does beside the vCPUs begins.
    func begin(_ life: MachineLife<Self>)
}

extension MachineBoard {
    func begin(_ life: MachineLife<Self>) {}

    /// Shuts the outside out and waits until nothing changes the machine's memory any more. The vCPUs are parked.
    func quiesce() {
        gate.set(false)
        // Whoever had found the gate open holds a device's lock: passing each lock waits for them.
        for resident in residents { resident.refresh() }
        // What waits for a limit touches no memory and goes on waiting.
        bay.suspend()
        bay.drain()
    }

    /// Lets the outside in again.
    func admit() {
        gate.set(true)
        serial?.backend.resume()
        bay.resumeInput()
    }

    /// All chips back to the state after power-on, RAM to zero.
    func reset() throws(MachineError) {
        for resident in residents { resident.reset() }
        bay.drain()
        do {
            try ram.release(0..<ram.size)
        } catch {
            throw .host(error.description)
        }
    }
}
