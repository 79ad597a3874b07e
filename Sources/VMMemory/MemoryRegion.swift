// SPDX-License-Identifier: Apache-2.0

/// A run of guest RAM and the host memory behind it. It owns nothing: who mapped the memory keeps it mapped
/// for as long as a `GuestMemory` over it lives.
@safe
public struct MemoryRegion: Sendable {
    /// Where it starts in guest-physical space; a multiple of the page size.
    public let base: GuestAddress
    /// Its size in bytes; a multiple of the page size, not zero.
    public let size: UInt64
    // SAFETY: only GuestMemory dereferences it, within `size`, and the owner keeps the mapping.
    @usableFromInline nonisolated(unsafe) let host: UnsafeMutableRawPointer

    /// Describes `size` bytes at `host` as the RAM at `base`.
    public init(base: GuestAddress, size: UInt64, host: UnsafeMutableRawPointer) {
        precondition(size > 0 && size & GuestPage.offsetMask == 0, "a memory region is a whole number of pages")
        precondition(base.value & GuestPage.offsetMask == 0, "a memory region starts at a page")
        precondition(size - 1 <= UInt64.max - base.value, "a memory region ends within the address space")
        self.base = base
        self.size = size
        // SAFETY: stored, not dereferenced.
        unsafe self.host = host
    }

    /// The last byte's address.
    public var last: GuestAddress { base + (size - 1) }

    /// Whether `count` bytes from `address` lie within.
    @inlinable @inline(__always)
    func contains(_ address: GuestAddress, count: UInt64) -> Bool {
        let offset = address - base
        return offset < size && count <= size - offset
    }
}
