// SPDX-License-Identifier: Apache-2.0

public import Host

/// What the machines of all platforms are configured by. Values: nothing is opened before a machine is made.
public protocol MachineConfiguration: Sendable {
    /// vCPUs.
    var cpuCount: Int { get set }
    /// RAM in bytes, a multiple of 4 KiB.
    var memorySize: UInt64 { get set }
    var boot: BootSource { get set }
    /// The 16550's other end: the system's console. Nil swallows output.
    var serial: StreamAttachment? { get set }
    var disks: [DiskAttachment] { get set }
    var networks: [NetworkAttachment] { get set }
    /// Ports of one virtio console, in order; empty: no such device.
    var consolePorts: [ConsoleAttachment] { get set }
    /// The virtio balloon, which takes memory from a running guest; nil for none.
    var balloon: BalloonConfiguration? { get set }
    /// Whether there is a virtio entropy device.
    var hasEntropy: Bool { get set }
    /// Whether there is a pvpanic device, by which the guest's system says that it has crashed.
    var hasPanicDevice: Bool { get set }
    var onPanic: PanicAction { get set }
    var onReset: ResetAction { get set }
    /// Bring the vCPUs up paused, before their first instruction, for a debugger.
    var startsPaused: Bool { get set }
    /// Gives the vCPUs' threads their part of the host's processors; nil: whatever the host's scheduler gives them.
    var governor: ProcessorGovernor? { get set }
    /// Hears of the machine's events.
    var onEvent: @Sendable (MachineEvent) -> Void { get set }

    /// The name of what executes the vCPUs.
    var engineName: String { get }
}

extension MachineConfiguration {
    /// How many virtio devices it asks for.
    var virtioDevices: Int {
        disks.count + networks.count + (consolePorts.isEmpty ? 0 : 1) + (hasEntropy ? 1 : 0) + (balloon == nil ? 0 : 1)
    }

    /// What can be said without opening anything: `machine` is the platform's name in errors, with its article.
    func check(
        machine: String, cpus: ClosedRange<Int>, memory: ClosedRange<UInt64>, virtioPlaces: Int, transport: String
    ) throws(MachineError) {
        guard cpus.contains(cpuCount) else {
            throw .configuration(
                "\(machine) machine has \(cpus.lowerBound) to \(cpus.upperBound) CPUs, not \(cpuCount)")
        }
        guard memory.contains(memorySize) else {
            throw .configuration(
                "\(memorySize >> 20) MiB of memory is outside of what \(machine) machine takes: "
                    + "\(memory.lowerBound >> 20) MiB to \(memory.upperBound >> 30) GiB")
        }
        guard memorySize & 4095 == 0 else {
            throw .configuration(
                "\(memorySize) bytes of memory is no whole number of pages: choose a multiple of 4 KiB")
        }
        if let balloon {
            guard balloon.size & 4095 == 0, balloon.size <= memorySize - memory.lowerBound else {
                throw .configuration(
                    "a balloon of \(balloon.size) bytes leaves the guest less than 16 MiB of its "
                        + "\(memorySize >> 20) MiB, or is no whole number of 4 KiB pages")
            }
        }
        guard virtioDevices <= virtioPlaces else {
            throw .configuration(
                "\(virtioDevices) virtio devices do not fit: there are \(virtioPlaces) places on \(transport)")
        }
        guard boot.commandLine.utf8.count < 2048 else {
            throw .configuration("the kernel's command line has \(boot.commandLine.utf8.count) bytes, more than 2047")
        }
    }
}
