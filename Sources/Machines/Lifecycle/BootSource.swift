// SPDX-License-Identifier: Apache-2.0

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
