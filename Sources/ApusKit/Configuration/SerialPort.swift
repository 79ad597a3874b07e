// SPDX-License-Identifier: Apache-2.0

/// The platform's serial port, which most systems use as their console.
public struct SerialPort: Sendable, Equatable {
    public var attachment: StreamEnd

    /// A serial port that ends at `attachment`.
    public init(attachment: StreamEnd) { self.attachment = attachment }
}

/// A virtio console of one port: `hvc0` for the first.
public struct ConsoleDevice: Sendable, Equatable {
    public var attachment: StreamEnd

    /// A console that ends at `attachment`.
    public init(attachment: StreamEnd) { self.attachment = attachment }
}

/// The virtio entropy device: random bytes of the host's.
public struct EntropyDevice: Sendable, Equatable {
    public init() {}
}

/// The host's end of a serial port or console.
public enum StreamEnd: Sendable, Equatable {
    /// The caller's stdin and stdout: raw with escapes where stdin is a terminal, bytes as they are where it is not.
    case standardStreams
    /// What the guest writes goes to this file, made anew; nothing comes from it.
    case file(path: String)
    /// A Unix socket at this path: one client at a time.
    case unixSocket(path: String)
    /// A new pseudo-terminal of the host's; its name is in `VirtualMachine.Event.console`.
    case pseudoTerminal
    /// What the guest writes is kept in memory, the last 64 KiB of it, and shown on stderr if `isShown`.
    case memory(isShown: Bool)

    /// A console as the command line writes it: `stdio`, `file:PATH`, `unix:PATH`, `pty`.
    public init(parsing text: String) throws(VirtualMachineError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("stdio", nil): self = .standardStreams
        case ("pty", nil): self = .pseudoTerminal
        case ("file", let path?) where !path.isEmpty: self = .file(path: path)
        case ("unix", let path?) where !path.isEmpty:
            // unix(7): sun_path has 108 bytes with its zero.
            guard path.utf8.count <= 107 else {
                throw VirtualMachineError(
                    .configuration, "socket path '\(path)' is longer than the 107 bytes that Linux takes")
            }
            self = .unixSocket(path: path)
        default:
            throw .unknown("console", text, valid: ["stdio", "file:PATH", "unix:PATH", "pty"])
        }
    }
}
