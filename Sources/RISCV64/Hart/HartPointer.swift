// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The address of a hart's state: what engines hold. Copies are the same hart.
@safe
struct HartPointer {
    // SAFETY: one initialised HartState followed by a mailbox; `Hart` owns it and outlives every copy in its engines.
    let address: UnsafeMutablePointer<HartState>

    /// Where the mailbox lies: the first cache line past the state.
    static var mailboxOffset: Int { (MemoryLayout<HartState>.size + 63) & ~63 }

    /// A state after power-on with its mailbox; `free()` ends it.
    static func allocate() -> HartPointer {
        let bytes = mailboxOffset + Mailbox.size
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        // SAFETY: `bytes` of fresh memory; HartState is trivial.
        unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        let address = unsafe raw.initializeMemory(as: HartState.self, repeating: HartState(), count: 1)
        return unsafe HartPointer(address: address)
    }

    func free() {
        // SAFETY: allocated by `allocate`; the owner calls this once.
        unsafe UnsafeMutableRawPointer(address).deallocate()
    }

    var mailbox: Mailbox {
        // SAFETY: `allocate` made room for it there, aligned.
        unsafe Mailbox(at: UnsafeMutableRawPointer(address) + HartPointer.mailboxOffset)
    }

    /// The state in place.
    var pointee: HartState {
        @inline(__always)
        unsafeAddress {
            // SAFETY: initialised by `allocate`.
            unsafe UnsafePointer(address)
        }
        @inline(__always)
        nonmutating unsafeMutableAddress {
            // SAFETY: as above; one thread at a time touches a hart.
            unsafe address
        }
    }

    /// x register `index`, 0 to 32; 32 is where writes to x0 go.
    @inline(__always)
    func x(_ index: Int) -> UInt64 {
        // SAFETY: decoded register numbers are 0 to 32.
        unsafe pointee.x[unchecked: index]
    }

    /// Sets x register `index`, 1 to 32; the decoder turns 0 into 32.
    @inline(__always)
    func setX(_ index: Int, _ value: UInt64) {
        // SAFETY: as above.
        unsafe pointee.x[unchecked: index] = value
    }

    /// f register `index`, 0 to 31, as its 64 bits.
    @inline(__always)
    func f(_ index: Int) -> UInt64 {
        // SAFETY: decoded register numbers are 0 to 31.
        unsafe pointee.f[unchecked: index]
    }

    /// Sets f register `index` and marks the floating-point state dirty.
    @inline(__always)
    func setF(_ index: Int, _ value: UInt64) {
        // SAFETY: as above.
        unsafe pointee.f[unchecked: index] = value
        pointee.mstatus |= MStatus.fs
    }
}
