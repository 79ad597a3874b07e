// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics

extension GuestMemory {
    /// The little-endian integer at `address`, or nil where it is not all RAM. Aligned loads are single-copy atomic.
    @inlinable
    public func load<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at address: GuestAddress) -> T? {
        let width = UInt64(MemoryLayout<T>.size)
        // SAFETY: `hostPointer` proved `width` bytes; the aligned forms get an address aligned on host pages too.
        guard let host = unsafe hostPointer(at: address, count: width) else { return nil }
        if address.value & (width - 1) == 0 {
            switch width {
            case 1: return unsafe T(truncatingIfNeeded: ga_load_8(host))
            case 2: return unsafe T(truncatingIfNeeded: ga_load_16(host))
            case 4: return unsafe T(truncatingIfNeeded: ga_load_32(host))
            case 8: return unsafe T(truncatingIfNeeded: ga_load_64(host))
            default: break
            }
        }
        return unsafe T(littleEndian: host.loadUnaligned(as: T.self))
    }

    /// Stores `value` little-endian at `address`; false, with nothing written, where it is not all RAM.
    /// Aligned stores are single-copy atomic.
    @inlinable @discardableResult
    public func store<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at address: GuestAddress) -> Bool {
        let width = UInt64(MemoryLayout<T>.size)
        // SAFETY: as in `load`.
        guard let host = unsafe hostPointer(at: address, count: width) else { return false }
        noteWrite(at: address, count: width)
        if address.value & (width - 1) == 0 {
            switch width {
            case 1: unsafe ga_store_8(host, UInt8(truncatingIfNeeded: value)); return true
            case 2: unsafe ga_store_16(host, UInt16(truncatingIfNeeded: value)); return true
            case 4: unsafe ga_store_32(host, UInt32(truncatingIfNeeded: value)); return true
            case 8: unsafe ga_store_64(host, UInt64(truncatingIfNeeded: value)); return true
            default: break
            }
        }
        unsafe host.storeBytes(of: value.littleEndian, as: T.self)
        return true
    }

    /// Copies guest memory at `address` into `buffer`; false, with `buffer` unchanged, where it is not all RAM.
    public func read(at address: GuestAddress, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        // SAFETY: both sides have `count` bytes: the buffer by its own count, the guest's by `hostPointer`.
        guard let target = buffer.baseAddress else { return true }
        guard let host = unsafe hostPointer(at: address, count: UInt64(buffer.count)) else { return false }
        unsafe target.copyMemory(from: host, byteCount: buffer.count)
        return true
    }

    /// Copies `buffer` to guest memory at `address`; false, with nothing written, where it is not all RAM.
    public func write(_ buffer: UnsafeRawBufferPointer, at address: GuestAddress) -> Bool {
        // SAFETY: as in `read`.
        guard let source = buffer.baseAddress else { return true }
        guard let host = unsafe hostPointer(at: address, count: UInt64(buffer.count)) else { return false }
        noteWrite(at: address, count: UInt64(buffer.count))
        unsafe host.copyMemory(from: source, byteCount: buffer.count)
        return true
    }

    /// `count` bytes at `address` as an array, or nil where they are not all RAM. For small structures.
    public func bytes(at address: GuestAddress, count: Int) -> [UInt8]? {
        var copy = [UInt8](repeating: 0, count: count)
        // SAFETY: the array's own storage, for the length of the call.
        let done = unsafe copy.withUnsafeMutableBytes { unsafe read(at: address, into: $0) }
        return done ? copy : nil
    }

    /// Writes `bytes` at `address`; false, with nothing written, where they do not all fit in RAM.
    @discardableResult
    public func write(_ bytes: [UInt8], at address: GuestAddress) -> Bool {
        // SAFETY: the array's own storage, for the length of the call.
        unsafe bytes.withUnsafeBytes { unsafe write($0, at: address) }
    }

    /// Sets `count` bytes at `address` to `byte`; false, with nothing written, where they are not all RAM.
    @discardableResult
    public func fill(at address: GuestAddress, count: UInt64, with byte: UInt8 = 0) -> Bool {
        // SAFETY: `hostPointer` proved `count` bytes.
        guard let host = unsafe hostPointer(at: address, count: count) else { return false }
        noteWrite(at: address, count: count)
        unsafe _ = host.initializeMemory(as: UInt8.self, repeating: byte, count: Int(truncatingIfNeeded: count))
        return true
    }
}

extension GuestMemory {
    /// Replaces the 8 bytes at `address`, aligned, by `desired` if they are `expected`: whether they were, or nil where
    /// the address is not RAM or not aligned. Sequentially consistent; for page-table A and D bits.
    @inlinable
    public func compareExchange(_ expected: UInt64, _ desired: UInt64, at address: GuestAddress) -> Bool? {
        // SAFETY: `hostPointer` proved 8 bytes; the address is aligned on host pages too.
        guard address.value & 7 == 0, let host = unsafe hostPointer(at: address, count: 8) else { return nil }
        noteWrite(at: address, count: 8)
        return unsafe ga_compare_exchange_64(host, expected, desired)
    }
}
