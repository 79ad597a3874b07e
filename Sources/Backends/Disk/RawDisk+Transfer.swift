// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import MachineCore
import Synchronization
import SystemPackage
import VMMemory

extension RawDisk {
    /// What one preadv(2) or pwritev(2) takes: IOV_MAX vectors, and less than the 2^31 bytes that Linux moves at most.
    private static let vectorsPerCall = 1024
    private static let bytesPerCall: UInt64 = 1 << 30

    /// Moves all of `segments` from or to the file at `offset`; the error that ended it, if any. What a failed read has
    /// already put into memory stays there, as with a real disk.
    func transfer(_ segments: [MemorySegment], at offset: UInt64, isWrite: Bool) -> Errno? {
        var total: UInt64 = 0
        for segment in segments {
            // Guest memory that is none, or a sum past 2^64, is the driver's fault.
            let (sum, overflow) = total.addingReportingOverflow(segment.count)
            guard !overflow, memory.contains(segment.address, count: segment.count) else { return .badAddress }
            total = sum
        }
        guard isWithin(offset, total) else { return .invalidArgument }

        var cursor = SegmentCursor(segments)
        var position = offset
        while !cursor.isAtEnd {
            let count = call(&cursor, at: position, isWrite: isWrite)
            switch count {
            // A file that was cut short behind our back has nothing to read there.
            case .success(0): return .ioError
            case .success(let count):
                cursor.advance(UInt64(count))
                position += UInt64(count)
            case .failure(.interrupted): continue
            case .failure(let error): return error
            }
        }
        state.withLock { state in
            if isWrite {
                state.statistics.writes += 1
                state.statistics.bytesWritten += total
            } else {
                state.statistics.reads += 1
                state.statistics.bytesRead += total
            }
        }
        return nil
    }

    /// One system call from where the cursor is.
    private func call(_ cursor: inout SegmentCursor, at position: UInt64, isWrite: Bool) -> Result<Int, Errno> {
        let pieces = cursor.pieces(limit: Self.vectorsPerCall, bytes: Self.bytesPerCall)
        // SAFETY: `hostPointer` proves each piece; the mapping lives as long as `memory`, which this object holds. The
        // kernel writes only within the vectors, after the write hook has heard of them.
        var vectors = unsafe [iovec]()
        for piece in pieces {
            guard let host = unsafe memory.hostPointer(at: piece.address, count: piece.count) else {
                return .failure(.badAddress)
            }
            if !isWrite { memory.noteWrite(at: piece.address, count: piece.count) }
            unsafe vectors.append(iovec(iov_base: host, iov_len: Int(piece.count)))
        }
        let number = file.descriptor.rawValue
        let count =
            unsafe isWrite
            ? pwritev(number, vectors, CInt(vectors.count), off_t(position))
            : preadv(number, vectors, CInt(vectors.count), off_t(position))
        return count < 0 ? .failure(Errno(rawValue: errno)) : .success(count)
    }
}

/// Where a transfer stands in its list of segments. Empty segments are passed over.
struct SegmentCursor {
    private let segments: [MemorySegment]
    private var index = 0
    private var offset: UInt64 = 0

    init(_ segments: [MemorySegment]) {
        self.segments = segments.filter { $0.count > 0 }
    }

    var isAtEnd: Bool { index == segments.count }

    /// What comes next: at most `limit` pieces with `bytes` bytes in all.
    func pieces(limit: Int, bytes: UInt64) -> [MemorySegment] {
        var result: [MemorySegment] = []
        var left = bytes
        var skipped = offset
        for segment in segments[index...].prefix(limit) where left > 0 {
            let count = min(segment.count - skipped, left)
            result.append(MemorySegment(address: segment.address + skipped, count: count))
            left -= count
            skipped = 0
        }
        return result
    }

    /// `count` bytes are done.
    mutating func advance(_ count: UInt64) {
        var left = count
        while left > 0 {
            let rest = segments[index].count - offset
            if left < rest {
                offset += left
                return
            }
            left -= rest
            index += 1
            offset = 0
        }
    }
}
