// SPDX-License-Identifier: Apache-2.0

public import Host
import MachineCore
import RISCV64

/// What a riscv64 `virt` machine is made of. A value: nothing is opened before `VirtMachine.init`.
public struct VirtConfiguration: Sendable {
    /// What executes the harts.
    public enum EngineChoice: String, CaseIterable, Sendable {
        case interpreter
    }

    /// What the virtio devices sit on.
    public enum Transport: String, CaseIterable, Sendable {
        /// PCI functions with INTx.
        case pci
        /// The eight memory-mapped slots, for systems that know only them. Disks come first, from slot 0.
        case mmio
    }

    /// The fewest and most harts.
    public static let hartRange = 1...16
    /// The least and most RAM in bytes.
    public static let memoryRange: ClosedRange<UInt64> = (16 << 20)...(512 << 30)

    /// Harts, 1 to 16.
    public var harts = 1
    /// RAM in bytes, a multiple of 4 KiB.
    public var memorySize: UInt64 = 1 << 30
    public var engine = EngineChoice.interpreter
    public var boot: BootSource
    public var transport = Transport.pci
    /// The 16550's other end: the system's console. Nil swallows output.
    public var serial: StreamAttachment?
    public var disks: [DiskAttachment] = []
    public var networks: [NetworkAttachment] = []
    /// Ports of one virtio console, in order; empty: no such device.
    public var consolePorts: [ConsoleAttachment] = []
    /// The virtio balloon, which takes memory from a running guest; nil for none.
    public var balloon: BalloonConfiguration?
    /// Whether there is a virtio entropy device.
    public var hasEntropy = true
    /// Whether there is a pvpanic device, by which the guest's system says that it has crashed. On PCI only.
    public var hasPanicDevice = true
    public var onPanic = PanicAction.exit
    public var onReset = ResetAction.reboot
    /// Bring the harts up paused, before their first instruction, for a debugger.
    public var startsPaused = false
    /// Hears of exceptions, interrupts and changes of privilege.
    public var tracer: (any HartTracer)?
    /// Gives the harts' threads their part of the host's processors; nil: whatever the host's scheduler gives them.
    public var governor: ProcessorGovernor?
    /// Hears of the machine's events.
    public var onEvent: @Sendable (MachineEvent) -> Void = { _ in }

    /// A machine that boots from `boot`.
    public init(boot: BootSource) { self.boot = boot }
}

/// A balloon in the guest's memory.
public struct BalloonConfiguration: Sendable {
    /// Bytes that it is to hold from the start, a multiple of 4 KiB: the guest has so much less.
    public var size: UInt64
    /// How often the guest is asked how it uses its memory, in milliseconds; nil: never.
    public var statisticsInterval: UInt64?

    /// A balloon that is to hold `size` bytes.
    public init(size: UInt64 = 0, statisticsInterval: UInt64? = 5000) {
        self.size = size
        self.statisticsInterval = statisticsInterval
    }
}

/// What the machine starts from.
public struct BootSource: Sendable {
    /// What runs in M-mode.
    public enum Firmware: Sendable {
        /// The machine's own SBI; the kernel starts in S-mode.
        case builtIn
        /// Nothing: the kernel is a bare program that starts in M-mode at its entry.
        case none
        /// This file, raw at the start of RAM or an ELF, starts in M-mode; the kernel lies where it jumps to.
        case file(BootFile)
    }

    public var firmware: Firmware
    /// A Linux `Image` or an ELF; with `Firmware.none` an ELF or raw code. May be absent with a firmware file.
    public var kernel: BootFile?
    public var initrd: BootFile?
    /// The kernel's command line.
    public var commandLine: String

    /// Starts `kernel` under `firmware`.
    public init(
        firmware: Firmware = .builtIn, kernel: BootFile?, initrd: BootFile? = nil, commandLine: String = ""
    ) {
        self.firmware = firmware
        self.kernel = kernel
        self.initrd = initrd
        self.commandLine = commandLine
    }
}

/// A file that is loaded into guest memory at each reset. It is opened once, when the machine is made: it may lose its
/// name or be out of the sandbox's reach afterwards. A machine whose file was written to meanwhile ends at its reset.
public enum BootFile: Sendable {
    /// A file of the host's.
    case path(String)
    /// Bytes that are at hand, and a name for errors.
    case bytes([UInt8], name: String)
}
