// SPDX-License-Identifier: Apache-2.0

/// What a machine starts from.
public enum BootLoader: Sendable, Equatable {
    /// A kernel on the platform's own firmware interface (the built-in SBI): nothing else is needed.
    case linux(LinuxBootLoader)
    /// A firmware file that starts in the machine's most privileged mode.
    case firmware(FirmwareBootLoader)
    /// A program that is alone on the machine, in its most privileged mode.
    case bare(kernel: String)
}

/// A kernel with what boot protocols hand to it.
public struct LinuxBootLoader: Sendable, Equatable {
    /// The path of a Linux `Image` or an ELF.
    public var kernel: String
    /// The path of an initial RAM disk, or nil.
    public var initialRamdisk: String?
    public var commandLine: String

    /// Starts the kernel at this path.
    public init(kernel: String, initialRamdisk: String? = nil, commandLine: String = "") {
        self.kernel = kernel
        self.initialRamdisk = initialRamdisk
        self.commandLine = commandLine
    }
}

/// A firmware file and, perhaps, the kernel it starts.
public struct FirmwareBootLoader: Sendable, Equatable {
    /// The path of the firmware: raw code for the start of RAM, or an ELF.
    public var firmware: String
    /// What the firmware finds where it jumps to; nil: it finds something itself, on a disk.
    public var kernel: LinuxBootLoader?

    /// Starts the firmware at this path.
    public init(firmware: String, kernel: LinuxBootLoader? = nil) {
        self.firmware = firmware
        self.kernel = kernel
    }
}
