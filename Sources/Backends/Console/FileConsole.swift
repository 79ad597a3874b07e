// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
public import MachineCore
public import SystemPackage

/// A console whose output goes to a file; it has no input.
public final class FileConsole: StreamBackend {
    private let stream: DescriptorStream
    private let file: FileDescriptor

    /// Writes to `path`, made with mode 0600 where it does not exist; what it has is kept if `appending`. A FIFO works
    /// too; what it has no reader for is kept up to 1 MiB, the oldest goes first.
    public init(
        _ path: FilePath, appending: Bool = false, loop: EventLoop,
        event: @escaping @Sendable (DescriptorStream.Event) -> Void = { _ in }
    ) throws(HostError) {
        var status = stat()
        // SAFETY: fills the local.
        let isFIFO = unsafe stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        // A FIFO opened for writing alone would wait for, or want, a reader.
        let opened = try Descriptor.open(
            path, isFIFO ? .readWrite : .writeOnly,
            options: [.create, .nonBlocking, appending ? .append : .truncate])
        file = opened.take()
        stream = DescriptorStream(
            loop: loop, input: nil, output: OutputDescriptor(nonBlocking: file), bufferSize: 1 << 20,
            overflow: .discardOldest, event: event)
    }

    deinit { try? file.close() }

    public func send(_ bytes: [UInt8]) -> Int { stream.send(bytes) }

    public func resume() {}

    /// Waits until all has been written, or until `deadline`.
    @discardableResult
    public func drain(until deadline: UInt64? = nil) -> Bool { stream.drain(until: deadline) }

    /// Ends the console; `drain` first.
    public func close() { stream.close() }
}
