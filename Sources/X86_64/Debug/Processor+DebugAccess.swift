// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// Memory as a debugger looks at it: translated as the processor's page tables say now, whatever they allow, and without
/// a trace of the look.
extension Processor {
    /// Up to `count` bytes from a linear address: those before the first that is not mapped RAM; nil where the first is
    /// not.
    public func debugRead(linear address: UInt64, count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        forEachPiece(address, count) { physical, piece in
            guard let part = memory.bytes(at: physical, count: piece) else { return false }
            bytes += part
            return true
        }
        return bytes.isEmpty && count > 0 ? nil : bytes
    }

    /// Writes RAM at a linear address; false, with what came before the first hole written, where it is not all mapped.
    /// Instructions are fetched anew afterwards.
    public func debugWrite(linear address: UInt64, bytes: [UInt8]) -> Bool {
        var done = 0
        forEachPiece(address, bytes.count) { physical, piece in
            guard memory.write(Array(bytes[done..<done + piece]), at: physical) else { return false }
            done += piece
            return true
        }
        debugChanged()
        return done == bytes.count
    }

    /// Cuts a linear range at pages; `body` gets each piece's physical address and answers whether to go on.
    private func forEachPiece(_ address: UInt64, _ count: Int, _ body: (GuestAddress, Int) -> Bool) {
        var offset = 0
        while offset < count {
            let at = address &+ UInt64(offset)
            let piece = min(count - offset, Int(GuestPage.size - at & GuestPage.offsetMask))
            guard let physical = peek(at), body(physical, piece) else { return }
            offset += piece
        }
    }
}
