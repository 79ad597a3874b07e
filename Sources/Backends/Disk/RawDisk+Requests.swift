// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import Logging
import MachineCore
import Synchronization
import SystemPackage
import VMMemory

extension RawDisk {
    /// Carries out `operation` on the calling thread, which may block.
    func perform(_ operation: BlockOperation) -> BlockResult {
        let error: Errno?
        switch operation {
        case .read(let offset, let segments):
            error = transfer(segments, at: offset, isWrite: false)
        case .write(let offset, let segments):
            error = file.isReadOnly ? .readOnlyFileSystem : transfer(segments, at: offset, isWrite: true)
        case .flush:
            error = flush()
        case .discard(let offset, let count):
            error = discard(offset, count)
        case .writeZeroes(let offset, let count, let unmap):
            error = writeZeroes(offset, count, unmap: unmap)
        }
        guard let error else { return .done }
        note(error, operation)
        return .failed
    }

    /// Durable, or the reason why it is not. The kernel tells each loss of written data once, so that a later flush
    /// would succeed though the data is gone: the first failure stays.
    func flush() -> Errno? {
        state.withLock { $0.statistics.flushes += 1 }
        if file.isReadOnly { return nil }
        if state.withLock({ $0.hasLostWrites }) { return .ioError }
        while fdatasync(file.descriptor.rawValue) != 0 {
            let error = Errno(rawValue: errno)
            if error == .interrupted { continue }
            state.withLock { $0.hasLostWrites = true }
            return error
        }
        return nil
    }

    /// Tells the guest's content of the range to go. That is advice, so a file system that cannot does nothing.
    private func discard(_ offset: UInt64, _ count: UInt64) -> Errno? {
        if let refusal = refusal(ofChange: offset, count) { return refusal }
        state.withLock { $0.statistics.discards += 1 }
        guard count > 0 else { return nil }
        let error = FileRange.punchHole(file.descriptor, offset: offset, count: count)
        return error?.isUnsupported == true ? nil : error
    }

    private func writeZeroes(_ offset: UInt64, _ count: UInt64, unmap: Bool) -> Errno? {
        if let refusal = refusal(ofChange: offset, count) { return refusal }
        state.withLock { $0.statistics.writes += 1 }
        guard count > 0 else { return nil }
        if unmap {
            let error = FileRange.punchHole(file.descriptor, offset: offset, count: count)
            if error?.isUnsupported != true { return error }
        }
        let error = FileRange.zero(file.descriptor, offset: offset, count: count)
        return error?.isUnsupported == true ? writePlainZeroes(offset, count) : error
    }

    private func writePlainZeroes(_ offset: UInt64, _ count: UInt64) -> Errno? {
        let zeroes = [UInt8](repeating: 0, count: Int(min(count, 1 << 20)))
        var done: UInt64 = 0
        while done < count {
            // SAFETY: at most the array's own storage, for the length of the call.
            let written = unsafe zeroes.withUnsafeBytes { bytes in
                unsafe pwrite(
                    file.descriptor.rawValue, bytes.baseAddress, Int(min(UInt64(bytes.count), count - done)),
                    off_t(offset + done))
            }
            if written > 0 { done += UInt64(written); continue }
            let error = written == 0 ? Errno.ioError : Errno(rawValue: errno)
            if error != .interrupted { return error }
        }
        return nil
    }

    private func refusal(ofChange offset: UInt64, _ count: UInt64) -> Errno? {
        if file.isReadOnly { return .readOnlyFileSystem }
        return isWithin(offset, count) ? nil : .invalidArgument
    }

    func isWithin(_ offset: UInt64, _ count: UInt64) -> Bool {
        offset <= capacity && count <= capacity - offset
    }

    /// Counts a failure, and tells the user of the first.
    private func note(_ error: Errno, _ operation: BlockOperation) {
        let isFirst = state.withLock { state in
            state.statistics.failures += 1
            if error == .noSpace || error == .diskQuotaExceeded { state.statistics.outOfSpace += 1 }
            // What the guest asked against the rules is its own affair.
            guard error != .invalidArgument, error != .readOnlyFileSystem else { return false }
            defer { state.hasReported = true }
            return !state.hasReported
        }
        if isFirst {
            logger.error("'\(file.path)': \(operation.verb) failed: \(error); the guest sees an I/O error")
        }
    }
}

extension Errno {
    /// The file system or device cannot do this at all: another way may work.
    fileprivate var isUnsupported: Bool {
        self == .notSupported || self == .noFunction || self == .notPermitted
    }
}

extension BlockOperation {
    fileprivate var verb: String {
        switch self {
        case .read: "a read"
        case .write: "a write"
        case .flush: "a flush"
        case .discard: "a discard"
        case .writeZeroes: "writing zeroes"
        }
    }
}
