// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore

/// The address of a processor's state: what engines hold. Copies are the same processor.
@safe
struct ProcessorPointer {
    // SAFETY: one initialised ProcessorState followed by a mailbox; `Processor` owns it and outlives every copy in its
    // engines.
    let address: UnsafeMutablePointer<ProcessorState>

    /// Where the mailbox lies: the first cache line past the state.
    static var mailboxOffset: Int { (MemoryLayout<ProcessorState>.size + 63) & ~63 }

    /// A fresh state with its mailbox; `free()` ends it.
    static func allocate() -> ProcessorPointer {
        let bytes = mailboxOffset + Mailbox.size
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        // SAFETY: `bytes` of fresh memory; ProcessorState is trivial.
        unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        let address = unsafe raw.initializeMemory(as: ProcessorState.self, repeating: ProcessorState(), count: 1)
        return unsafe ProcessorPointer(address: address)
    }

    func free() {
        // SAFETY: allocated by `allocate`; the owner calls this once.
        unsafe UnsafeMutableRawPointer(address).deallocate()
    }

    var mailbox: Mailbox {
        // SAFETY: `allocate` made room for it there, aligned.
        unsafe Mailbox(at: UnsafeMutableRawPointer(address) + ProcessorPointer.mailboxOffset)
    }

    /// Whether the mailbox has requests: one load.
    @inline(__always)
    var hasRequests: Bool {
        // SAFETY: the mailbox lies there; its first field is the requests.
        unsafe ga_load_64(UnsafeRawPointer(address) + ProcessorPointer.mailboxOffset) != 0
    }

    /// The state in place.
    var pointee: ProcessorState {
        @inline(__always)
        unsafeAddress {
            // SAFETY: initialised by `allocate`.
            unsafe UnsafePointer(address)
        }
        @inline(__always)
        nonmutating unsafeMutableAddress {
            // SAFETY: as above; one thread at a time touches a processor.
            unsafe address
        }
    }

    // MARK: General registers. Numbers are decoded ones: 0 to 15, and 16 and 17 in addresses.

    @inline(__always)
    func r64(_ index: UInt8) -> UInt64 {
        // SAFETY: decoded register numbers are 0 to 17.
        unsafe pointee.general[unchecked: Int(index)]
    }

    @inline(__always)
    func setR64(_ index: UInt8, _ value: UInt64) {
        // SAFETY: decoded destinations are 0 to 15.
        unsafe pointee.general[unchecked: Int(index)] = value
    }

    @inline(__always)
    func r32(_ index: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: r64(index)) }

    /// Writes a 32-bit register: the upper half becomes zero (Intel SDM Vol 1 §3.4.1.1).
    @inline(__always)
    func setR32(_ index: UInt8, _ value: UInt32) { setR64(index, UInt64(value)) }

    @inline(__always)
    func r16(_ index: UInt8) -> UInt16 { UInt16(truncatingIfNeeded: r64(index)) }

    @inline(__always)
    func setR16(_ index: UInt8, _ value: UInt16) { setR64(index, r64(index) & ~0xffff | UInt64(value)) }

    /// A byte register by its place: 8 times the register's number, plus 1 for AH, CH, DH and BH.
    @inline(__always)
    func r8(_ place: UInt8) -> UInt8 {
        // SAFETY: decoded places are below 128: within `general`, at the state's beginning.
        unsafe UnsafeRawPointer(address).load(fromByteOffset: Int(place), as: UInt8.self)
    }

    @inline(__always)
    func setR8(_ place: UInt8, _ value: UInt8) {
        // SAFETY: as above.
        unsafe UnsafeMutableRawPointer(address).storeBytes(of: value, toByteOffset: Int(place), as: UInt8.self)
    }
}
