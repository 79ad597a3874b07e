// SPDX-License-Identifier: Apache-2.0

import Glibc
import VMMemory

/// A machine's RAM for a test, with an allocator for the driver's structures.
public final class MockRAM {
    /// Where RAM starts: not at zero, so that a null pointer of a driver is no RAM.
    public static let base = GuestAddress(0x8000_0000)

    /// The RAM.
    public let memory: GuestMemory
    /// In bytes.
    public let size: UInt64
    private let host: UnsafeMutableRawPointer
    private var next = MockRAM.base

    /// `size` bytes, a multiple of the page size.
    public init(size: UInt64 = 8 << 20) {
        self.size = size
        // Zeroed, and real only where it is touched: tests make many.
        host = mmap(nil, Int(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(host != MAP_FAILED, "the host has memory for a test")
        memory = GuestMemory(regions: [MemoryRegion(base: Self.base, size: size, host: host)])
    }

    deinit { munmap(host, Int(size)) }

    /// The first address behind RAM.
    public var end: GuestAddress { Self.base + size }

    /// `count` zeroed bytes that nobody else uses.
    public func allocate(_ count: UInt64, alignment: UInt64 = 16) -> GuestAddress {
        let start = GuestAddress((next.value + alignment - 1) & ~(alignment - 1))
        precondition(start + count <= end, "the mock's RAM suffices for the test")
        next = start + count
        memory.fill(at: start, count: count)
        return start
    }

    /// The address of a copy of `bytes`.
    public func place(_ bytes: [UInt8]) -> GuestAddress {
        let address = allocate(UInt64(bytes.count))
        memory.write(bytes, at: address)
        return address
    }

    /// `count` bytes at `address`; empty where they are not RAM.
    public func bytes(at address: GuestAddress, count: Int) -> [UInt8] {
        memory.bytes(at: address, count: count) ?? []
    }
}
