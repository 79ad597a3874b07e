// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A riscv64 machine with the memory map of QEMU's `virt`.
///
/// Any thread may call it. `init` opens and checks everything, `start` runs the harts on threads of their own, and the
/// end comes by the guest's doing or by `stop()`; `waitForEnd()` returns it after every thread and descriptor of the
/// machine's is gone.
public final class VirtMachine: Sendable {
    public let configuration: VirtConfiguration

    /// Opens and checks everything that `configuration` names; no guest instruction runs yet.
    public init(_ configuration: VirtConfiguration) throws(MachineError) {
        self.configuration = configuration
    }

    /// Where the machine is in its life.
    public var state: MachineState { .ready }

    /// Switches on. Throws where the machine was started before.
    public func start() throws(MachineError) {}

    /// Stops the harts, waits until they and the disks are quiet, and stops virtual time. Without effect when paused.
    public func pause() {}

    /// Goes on after `pause()` or a debugger's stop. Without effect while running.
    public func resume() {}

    /// Begins again from reset, as if the guest had asked for it, whatever `onReset` says.
    public func reset() {}

    /// Ends the machine with `MachineEnd.stopped`, without asking the guest. Returns at once.
    public func stop() {}

    /// Waits for the end. Blocks the calling thread.
    public func waitForEnd() -> MachineEnd { .stopped }

    /// What each hart is doing.
    public var vcpus: [VCPUStatus] { [] }

    /// The counters of harts and devices.
    public var statistics: MachineStatistics {
        MachineStatistics(virtualNanoseconds: 0, resets: 0, harts: [], devices: [])
    }

    /// Lets one hart of a paused machine execute one instruction while the others stand; nil where it is not paused.
    public func step(hart id: Int) -> DebugStop? { nil }

    /// The machine's RAM.
    public var memory: GuestMemory { GuestMemory(regions: []) }

    /// Tells the guest the size of console port `port`'s terminal in characters.
    public func resizeConsole(port: Int, columns: UInt16, rows: UInt16) {}
}
