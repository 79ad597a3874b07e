// SPDX-License-Identifier: Apache-2.0

public import Host
public import MachineCore
public import SystemPackage

/// A console on a pseudoterminal, for any terminal program to open. Output that nobody reads is kept up to 1 MiB, the
/// oldest goes first, so that who comes later sees the last of it and the guest never waits.
public final class PtyConsole: StreamBackend {
    private let stream: DescriptorStream
    private let pty: PseudoTerminal

    /// Where to open the terminal: `/dev/pts/N`.
    public var path: FilePath { pty.path }

    /// Makes the pseudoterminal.
    public init(loop: EventLoop) throws(HostError) {
        let made = try PseudoTerminal()
        let controller = made.controller.raw
        try controller.setNonBlocking(true)
        pty = made
        stream = DescriptorStream(
            loop: loop, input: controller, output: OutputDescriptor(nonBlocking: controller), bufferSize: 1 << 20,
            overflow: .discardOldest, event: { _ in })
    }

    /// Sets who takes what is typed. Once.
    public func connect(
        _ delivery: @escaping DescriptorStream.Delivery, room: (@Sendable () -> Void)? = nil
    ) throws(HostError) {
        try stream.connect(delivery, room: room)
    }

    public func send(_ bytes: [UInt8]) -> Int { stream.send(bytes) }

    public func resume() { stream.resume() }

    /// The terminal's size as its user set it; nil before that.
    public var size: Terminal.Size? { Terminal(pty.controller.raw)?.size }

    /// Ends the console; the terminal goes when this object does.
    public func close() { stream.close() }
}
