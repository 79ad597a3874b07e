// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What a guest wrote to its console, in a file of bounded size: a full one is copied to `PATH.1`, whose content goes,
/// and begins anew. Both are opened at once, for a confined process opens nothing.
final class ConsoleLog: Sendable {
    /// Bytes of each of the two files.
    static let limit: Int64 = 1 << 20
    private static let piece = 64 << 10

    private let current: Descriptor
    private let previous: Descriptor

    /// Appends to the file at `path`.
    init(_ path: FilePath) throws(HostError) {
        current = try Descriptor.open(path, .readWrite, options: [.create, .append])
        previous = try Descriptor.open(FilePath(path.string + ".1"), .readWrite, options: [.create])
    }

    /// Appends `bytes`; what a full disk does not take is lost. On one thread at a time.
    func write(_ bytes: [UInt8]) {
        // Not kept in a variable: a file that someone else shortens is not mistaken for a full one.
        if let size = try? current.raw.seek(offset: 0, from: .end), size >= ConsoleLog.limit { rotate() }
        _ = try? current.raw.writeAll(bytes)
    }

    private func rotate() {
        var position: Int64 = 0
        do {
            try previous.raw.resize(to: 0)
            var buffer = [UInt8](repeating: 0, count: ConsoleLog.piece)
            while true {
                let count = try unsafe buffer.withUnsafeMutableBytes { bytes in
                    // SAFETY: the array's own storage, for the length of the call.
                    try unsafe current.raw.read(fromAbsoluteOffset: position, into: bytes)
                }
                guard count > 0 else { break }
                try previous.raw.writeAll(toAbsoluteOffset: position, buffer[..<count])
                position += Int64(count)
            }
            try current.raw.resize(to: 0)
        } catch {
            // No space for the old part: the new one is worth more.
            try? current.raw.resize(to: 0)
        }
    }
}
