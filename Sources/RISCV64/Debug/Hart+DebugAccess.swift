// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// Memory as a debugger sees it: through the page tables of the moment, without permissions, faults or A/D updates.
extension Hart {
    /// The guest-physical address of `address` as the hart would translate it for data, or nil where nothing is mapped.
    public func debugTranslate(_ address: UInt64) -> GuestAddress? {
        let mode = state.pointee.satp >> 60
        guard privilege != .machine, mode >= 8, mode <= 10 else { return GuestAddress(address) }
        let levels = Int(mode) - 5
        let unused = Int64(64 - 12 - 9 * levels)
        guard (Int64(bitPattern: address) << unused) >> unused == Int64(bitPattern: address) else { return nil }
        var table = (state.pointee.satp & 0xfff_ffff_ffff) << 12
        for level in (0..<levels).reversed() {
            let shift = UInt64(12 + 9 * level)
            guard let entry = memory.load(UInt64.self, at: GuestAddress(table &+ (address >> shift & 511) * 8)),
                entry & 1 != 0
            else { return nil }
            let number = entry >> 10 & 0xfff_ffff_ffff
            if entry & 0xe != 0 {
                let mask = (entry >> 63 != 0 ? 64 << 10 : GuestPage.size << UInt64(9 * level)) - 1
                return GuestAddress((number << 12) & ~mask | address & mask)
            }
            table = number << 12
        }
        return nil
    }

    /// `count` bytes of RAM at a guest-virtual address, fewer where the mapping ends, nil where there is none at all.
    public func debugRead(virtual address: UInt64, count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        forEachPiece(address, count) { physical, piece in
            guard let part = memory.bytes(at: physical, count: piece) else { return false }
            bytes += part
            return true
        }
        return bytes.isEmpty && count > 0 ? nil : bytes
    }

    /// Writes RAM at a guest-virtual address; false, with what came before the first hole written, where it is not all
    /// mapped. Instructions are fetched anew afterwards.
    public func debugWrite(virtual address: UInt64, bytes: [UInt8]) -> Bool {
        var done = 0
        forEachPiece(address, bytes.count) { physical, piece in
            guard memory.write(Array(bytes[done..<done + piece]), at: physical) else { return false }
            done += piece
            return true
        }
        flushInstructions()
        return done == bytes.count
    }

    /// Cuts a virtual range at pages; `body` gets each piece's physical address and answers whether to go on.
    private func forEachPiece(_ address: UInt64, _ count: Int, _ body: (GuestAddress, Int) -> Bool) {
        var offset = 0
        while offset < count {
            let at = address &+ UInt64(offset)
            let piece = min(count - offset, Int(GuestPage.size - at & GuestPage.offsetMask))
            guard let physical = debugTranslate(at), body(physical, piece) else { return }
            offset += piece
        }
    }
}
