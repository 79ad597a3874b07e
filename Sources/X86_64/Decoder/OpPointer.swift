// SPDX-License-Identifier: Apache-2.0

/// The address of a micro-op in a code cache.
@safe
struct OpPointer {
    // SAFETY: within the op arena of a CodeCache that outlives the run; every run of micro-ops ends in one that leaves.
    let address: UnsafeMutablePointer<MicroOp>

    @inline(__always)
    init(_ address: UnsafeMutablePointer<MicroOp>) {
        // SAFETY: stored; the caller's promise is the rest.
        unsafe self.address = address
    }

    @inline(__always)
    var pointee: MicroOp {
        // SAFETY: micro-ops are initialised before anything leads to them.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(address) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe address }
    }

    /// The micro-op `count` further.
    @inline(__always)
    static func + (pointer: OpPointer, count: Int) -> OpPointer {
        // SAFETY: links and runs stay within the arena.
        unsafe OpPointer(pointer.address + count)
    }

    /// How many micro-ops `right` is before `left`.
    @inline(__always)
    static func - (left: OpPointer, right: OpPointer) -> Int {
        // SAFETY: both in one arena.
        unsafe left.address - right.address
    }
}
