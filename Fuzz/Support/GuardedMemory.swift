// SPDX-License-Identifier: Apache-2.0

import Glibc
import VMMemory

/// Guest RAM of a few pages between pages that nobody may touch: an access past either end is a finding.
///
/// A fuzz target runs on one thread and keeps one of these for all its inputs.
public struct GuardedMemory: @unchecked Sendable {
    /// Where it lies for the guest.
    public static let base = GuestAddress(0x8000_0000)
    /// Its bytes.
    public let bytes: UnsafeMutableRawBufferPointer

    /// Maps `size` bytes, a multiple of 4096, once for the whole run.
    public init(size: Int) {
        let all = mmap(nil, size + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let all, all != MAP_FAILED, mprotect(all + 4096, size, PROT_READ | PROT_WRITE) == 0 else {
            fatalError("cannot map the guest's memory")
        }
        bytes = UnsafeMutableRawBufferPointer(start: all + 4096, count: size)
    }

    /// Zeros it all.
    public func clear() {
        if let start = bytes.baseAddress { memset(start, 0, bytes.count) }
    }

    /// Whether both hold the same bytes.
    public func holdsSame(as other: GuardedMemory) -> Bool {
        guard let mine = bytes.baseAddress, let theirs = other.bytes.baseAddress else { return false }
        return bytes.count == other.bytes.count && memcmp(mine, theirs, bytes.count) == 0
    }

    /// Guest memory over it, all zeros: each input starts from the same state.
    public func fresh() -> GuestMemory {
        guard let start = bytes.baseAddress else { fatalError("there is no memory") }
        clear()
        return GuestMemory(
            regions: [MemoryRegion(base: Self.base, size: UInt64(bytes.count), host: start)])
    }
}
