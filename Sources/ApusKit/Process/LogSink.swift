// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import Synchronization
import SystemPackage

/// Where log lines go: a file, or stderr. Lines of several threads do not mix.
public final class LogSink: Sendable {
    private let descriptor: FileDescriptor
    private let lock = Mutex(())

    /// Appends to the file at `path`; nil writes to stderr.
    public init(path: String?) throws(VirtualMachineError) {
        guard let path else {
            descriptor = .standardError
            return
        }
        do {
            descriptor = try Descriptor.open(
                FilePath(path), .writeOnly, options: [.create, .append], mode: [.ownerReadWrite, .groupRead]
            ).take()
        } catch {
            throw VirtualMachineError(.host, "log file: \(error.description)")
        }
    }

    /// Writes `line` and ends it.
    public func write(_ line: String) {
        lock.withLock { _ in _ = try? descriptor.writeAll((line + "\n").utf8) }
    }

    /// The time of day, for a line's start: ISO 8601 in UTC with milliseconds.
    public static var timestamp: String {
        Date().formatted(
            .iso8601.time(includingFractionalSeconds: true).year().month().day().timeZone(separator: .omitted))
    }
}
