// SPDX-License-Identifier: Apache-2.0

import Host
import VMMemory

/// Bytes of a boot file, or a part of them, to be put into guest memory at each reset: those of a regular file stay in
/// the file, which is kept open, so that a machine holds no second copy of its kernel.
enum BootContent: Sendable {
    case bytes(ArraySlice<UInt8>)
    case file(StableFile, offset: UInt64, count: UInt64)

    /// How many bytes there are.
    var count: UInt64 {
        switch self {
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, _, let count): count
        }
    }

    /// `count` bytes from `offset`, which are all there.
    func part(_ offset: UInt64, count: UInt64) -> BootContent {
        precondition(offset <= self.count && count <= self.count - offset, "a part of a boot file lies within it")
        switch self {
        case .bytes(let bytes):
            return .bytes(bytes.dropFirst(Int(offset)).prefix(Int(count)))
        case .file(let file, let start, _): return .file(file, offset: start + offset, count: count)
        }
    }

    /// The first `most` bytes as an array, or as many as there are.
    func head(_ most: UInt64 = .max) throws(HostError) -> [UInt8] {
        let wanted = min(most, count)
        switch self {
        case .bytes(let bytes): return Array(bytes.prefix(Int(wanted)))
        case .file(let file, let offset, _): return try file.bytes(at: offset, count: Int(wanted))
        }
    }

    /// Puts all of it at `address`, where there is RAM for it.
    func load(into memory: GuestMemory, at address: GuestAddress) throws(HostError) {
        guard count > 0 else { return }
        switch self {
        case .bytes(let bytes):
            // SAFETY: the array's own storage, for the length of the call.
            let done = unsafe bytes.withUnsafeBytes { unsafe memory.write($0, at: address) }
            precondition(done, "the boot plan was checked against RAM")
        case .file(let file, let offset, let count):
            // SAFETY: `hostPointer` proved `count` bytes; no vCPU runs.
            guard let host = unsafe memory.hostPointer(at: address, count: count) else {
                preconditionFailure("the boot plan was checked against RAM")
            }
            memory.noteWrite(at: address, count: count)
            try unsafe file.read(at: offset, into: UnsafeMutableRawBufferPointer(start: host, count: Int(count)))
        }
    }
}
