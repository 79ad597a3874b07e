// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// A file that others append to, read piece by piece: also when it is cut off or replaced by a new one of its name.
public struct FollowedFile: ~Copyable, Sendable {
    private static let piece = 64 << 10

    /// Where it is.
    public let path: FilePath
    private var file: Descriptor?
    private var identity: FileIdentity?
    private var position: Int64 = 0

    /// Reads the file at `path` from its beginning, now or once it is there.
    public init(_ path: FilePath) { self.path = path }

    /// The next bytes, 64 KiB at most; none where there is nothing new.
    public mutating func next() -> [UInt8] {
        if file == nil { open() }
        let bytes = read()
        guard bytes.isEmpty, identity != nil, FileIdentity(path) != identity else { return bytes }
        // The old one is read to its end, and a new one stands in its place.
        file = nil
        open()
        return read()
    }

    /// Goes to where the last `count` lines begin, or to the beginning where there are fewer; how many there are then.
    public mutating func skip(toLast count: Int) -> Int {
        if file == nil { open() }
        let size = size
        position = count > 0 ? 0 : size
        var (found, end) = (0, size)
        while end > 0, count > 0 {
            let start = max(0, end - Int64(FollowedFile.piece))
            let bytes = read(at: start, count: Int(end - start))
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                let next = start + Int64(index) + 1
                // The end of the last line begins no other.
                if next == size { continue }
                found += 1
                if found == count {
                    position = next
                    return count
                }
            }
            end = start
        }
        return min(count, size > 0 ? found + 1 : 0)
    }

    private mutating func open() {
        guard let opened = try? Descriptor.open(path, .readOnly) else { return }
        identity = FileIdentity(opened.raw)
        position = 0
        file = consume opened
    }

    private var size: Int64 {
        var status = stat()
        // SAFETY: fills the local.
        guard file != nil, unsafe fstat(number, &status) == 0 else { return 0 }
        return Int64(status.st_size)
    }

    private var number: CInt {
        switch file {
        case .some(let file): file.number
        case .none: -1
        }
    }

    private mutating func read() -> [UInt8] {
        guard file != nil else { return [] }
        if size < position { position = 0 }
        let bytes = read(at: position, count: FollowedFile.piece)
        position += Int64(bytes.count)
        return bytes
    }

    private func read(at position: Int64, count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let number = number
        // SAFETY: the array's own storage, for the length of the call.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            retryingInterrupts { unsafe pread(number, bytes.baseAddress, bytes.count, off_t(position)) }
        }
        guard case .success(let count) = result else { return [] }
        return Array(buffer.prefix(count))
    }
}
