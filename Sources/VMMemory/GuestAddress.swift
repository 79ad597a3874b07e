// SPDX-License-Identifier: Apache-2.0

/// A guest-physical address: what a bus or a page-table walk ends at, never a host pointer.
@frozen
public struct GuestAddress: Hashable, Comparable, Sendable {
    /// The address in bytes.
    public var value: UInt64

    @inlinable
    public init(_ value: UInt64) { self.value = value }

    @inlinable
    public static func < (left: GuestAddress, right: GuestAddress) -> Bool { left.value < right.value }

    /// The address `offset` bytes further, wrapping at 2^64 as address adders do.
    @inlinable
    public static func + (base: GuestAddress, offset: UInt64) -> GuestAddress { GuestAddress(base.value &+ offset) }

    /// The distance in bytes from `right` up to `left`, wrapping.
    @inlinable
    public static func - (left: GuestAddress, right: GuestAddress) -> UInt64 { left.value &- right.value }

    /// The number of the 4 KiB page that holds the address.
    @inlinable
    public var page: UInt64 { value >> GuestPage.shift }
}

/// The page of a guest: 4 KiB on every platform here (RISC-V Priv 1.13 §12.3, Intel SDM Vol 3A §5.3).
@frozen
public enum GuestPage {
    /// log2 of the size.
    @inlinable public static var shift: UInt64 { 12 }
    /// The size in bytes.
    @inlinable public static var size: UInt64 { 4096 }
    /// The bits of an address within its page.
    @inlinable public static var offsetMask: UInt64 { 4095 }
}
