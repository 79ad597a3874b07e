// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

// The shapes of loads and stores, as `Frame` has those of arithmetic: by the soft TLB where it knows the page, else
// outlined. Each returns how the loop is left, or nil to go on with the next micro-op. All is inlined into the loop,
// where width, length and extension are constants.
extension Hart {
    /// A load to an integer register, widened by `extended`.
    @inline(__always)
    func load(
        _ op: MicroOp, _ frame: inout Frame, _ width: AccessWidth, step: Int = 2,
        extended: (UInt64) -> UInt64 = { $0 }
    ) -> Outcome? {
        let address = frame.x(op.b) &+ op.operand
        if let value = frame.read(address, width) {
            frame.setX(op.a, extended(value))
            frame.op = frame.op + step
            return nil
        }
        frame.save()
        let outcome = loadSlow(address, width: width)
        if outcome == .trapped { return .fetch }
        frame.setX(op.a, extended(frame.hart.pointee.result))
        frame.op = frame.op + step
        return outcome == .watched ? stop(frame) : nil
    }

    /// A load to a floating-point register: what is narrower than it is boxed in ones
    /// (RISC-V Unprivileged §21.2, NaN boxing).
    @inline(__always)
    func loadF(_ op: MicroOp, _ frame: inout Frame, _ width: AccessWidth, step: Int = 2) -> Outcome? {
        guard frame.hart.pointee.mstatus & MStatus.fs != 0 else { return illegal(frame) }
        let address = frame.x(op.b) &+ op.operand
        if let value = frame.read(address, width) {
            frame.hart.setF(Int(op.a), value | ~width.mask)
            frame.op = frame.op + step
            return nil
        }
        frame.save()
        let outcome = loadSlow(address, width: width)
        if outcome == .trapped { return .fetch }
        frame.hart.setF(Int(op.a), frame.hart.pointee.result | ~width.mask)
        frame.op = frame.op + step
        return outcome == .watched ? stop(frame) : nil
    }

    /// A store from an integer register.
    @inline(__always)
    func store(_ op: MicroOp, _ frame: inout Frame, _ width: AccessWidth, step: Int = 2) -> Outcome? {
        store(frame.x(op.a), op, &frame, width, step: step)
    }

    /// A store from a floating-point register.
    @inline(__always)
    func storeF(_ op: MicroOp, _ frame: inout Frame, _ width: AccessWidth, step: Int = 2) -> Outcome? {
        guard frame.hart.pointee.mstatus & MStatus.fs != 0 else { return illegal(frame) }
        return store(frame.hart.f(Int(op.a)), op, &frame, width, step: step)
    }

    @inline(__always)
    private func store(
        _ value: UInt64, _ op: MicroOp, _ frame: inout Frame, _ width: AccessWidth, step: Int
    ) -> Outcome? {
        let address = frame.x(op.b) &+ op.operand
        if frame.write(value, address, width) {
            frame.op = frame.op + step
            return nil
        }
        frame.save()
        let outcome = storeSlow(address, value, width: width)
        if outcome == .trapped { return .fetch }
        frame.op = frame.op + step
        return outcome == .watched ? stop(frame) : nil
    }
}

extension Frame {
    /// The value at `address`, if it is aligned and the soft TLB knows where it is.
    @inline(__always)
    func read(_ address: UInt64, _ width: AccessWidth) -> UInt64? {
        // SAFETY: the soft TLB's answer is guest RAM for an access of this width.
        guard let host = unsafe find(address, width.bytes &- 1, writes: false) else { return nil }
        return switch width {
        case .byte: UInt64(unsafe ga_load_8(host))
        case .half: UInt64(unsafe ga_load_16(host))
        case .word: UInt64(unsafe ga_load_32(host))
        case .double: unsafe ga_load_64(host)
        }
    }

    /// Stores `value` at `address`, if that is aligned and the soft TLB knows where it is; false where not.
    @inline(__always)
    func write(_ value: UInt64, _ address: UInt64, _ width: AccessWidth) -> Bool {
        // SAFETY: as for `read`.
        guard let host = unsafe find(address, width.bytes &- 1, writes: true) else { return false }
        switch width {
        case .byte: unsafe ga_store_8(host, UInt8(truncatingIfNeeded: value))
        case .half: unsafe ga_store_16(host, UInt16(truncatingIfNeeded: value))
        case .word: unsafe ga_store_32(host, UInt32(truncatingIfNeeded: value))
        case .double: unsafe ga_store_64(host, value)
        }
        return true
    }
}

/// Sign extension of 16 bits.
@inline(__always)
func half(_ value: UInt64) -> UInt64 { UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: value))) }

/// Sign extension of 8 bits.
@inline(__always)
func byte(_ value: UInt64) -> UInt64 { UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: value))) }
