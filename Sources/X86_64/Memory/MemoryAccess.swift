// SPDX-License-Identifier: Apache-2.0

/// Why memory is accessed: what page tables are asked to allow, and what a page fault's error code says.
struct MemoryAccess: Equatable, Sendable {
    /// Bit 0: writes; bit 1: fetches an instruction; bit 2: the processor itself asks, whatever the privilege level, for
    /// a descriptor table, a TSS or the stack of an inner level (Intel SDM Vol 3A §5.6.1, implicit supervisor access).
    let bits: UInt8
    static var read: MemoryAccess { MemoryAccess(bits: 0) }
    static var write: MemoryAccess { MemoryAccess(bits: 1) }
    static var fetch: MemoryAccess { MemoryAccess(bits: 2) }
    /// An implicit supervisor access.
    var implicit: MemoryAccess { MemoryAccess(bits: bits | 4) }

    @inline(__always) var writes: Bool { bits & 1 != 0 }
    @inline(__always) var fetches: Bool { bits & 2 != 0 }
    @inline(__always) var isImplicit: Bool { bits & 4 != 0 }
}

/// Where a linear address lies.
struct Translation: Equatable, Sendable {
    var physical: UInt64
    /// The size of the page that it is in.
    var size: UInt64
}
