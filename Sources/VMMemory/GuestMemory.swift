// SPDX-License-Identifier: Apache-2.0

/// A machine's RAM as everyone but a vCPU's fast path reaches it: bounds-checked, by guest-physical address.
///
/// The memory is shared with vCPU threads that write at any moment. Accesses of 1, 2, 4 and 8 bytes at aligned
/// addresses are single-copy atomic; bulk copies are not, so whoever parses guest data copies it once and then checks
/// the copy. An access that leaves RAM, or crosses from one region to the next, fails as a value and changes nothing.
///
/// Every writer passes the write hook: the methods here by themselves, an engine's stores by `noteWrite` when it
/// makes a page writable for its fast path.
public final class GuestMemory: Sendable {
    /// The regions by rising address, none overlapping.
    public let regions: [MemoryRegion]
    /// Who must know of writes: the dirty log and engines' code pages.
    public let writeHook: WriteHook

    /// A view over `regions`, in any order. Regions must not overlap.
    public init(regions: [MemoryRegion]) {
        let sorted = regions.sorted { $0.base < $1.base }
        for (lower, upper) in zip(sorted, sorted.dropFirst()) {
            precondition(lower.last < upper.base, "memory regions do not overlap")
        }
        self.regions = sorted
        self.writeHook = WriteHook(regions: sorted)
    }

    /// The sum of the regions' sizes in bytes.
    public var size: UInt64 { regions.reduce(0) { $0 + $1.size } }

    /// The host memory behind `count` bytes at `address`, or nil where they are not all in one region.
    ///
    /// For engines and for backends that do I/O straight into guest memory. A caller that will write calls
    /// `noteWrite(at:count:)` too. The pointer stays good for as long as this object's owner keeps the mapping.
    @inlinable @inline(__always)
    public func hostPointer(at address: GuestAddress, count: UInt64) -> UnsafeMutableRawPointer? {
        for region in regions where region.contains(address, count: count) {
            // SAFETY: the offset is within the region, just checked.
            return unsafe region.host + Int(truncatingIfNeeded: address - region.base)
        }
        return nil
    }

    /// Whether all of `count` bytes at `address` are RAM, in one region.
    public func contains(_ address: GuestAddress, count: UInt64) -> Bool {
        regions.contains { $0.contains(address, count: count) }
    }

    /// Tells the write hook that `count` bytes at `address` are written, or are about to be: called before the write.
    @inlinable @inline(__always)
    public func noteWrite(at address: GuestAddress, count: UInt64) {
        writeHook.note(address, count: count)
    }
}
