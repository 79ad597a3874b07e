// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// IN, OUT, INS and OUTS (Intel SDM Vol 1 chapter 20).
    func executePorts(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        let width = op.attributes.width
        guard let access = AccessWidth(rawValue: UInt8(min(width.bytes, 4))) else { return raise(.invalidOpcode) }
        let isString = operation == .ins || operation == .outs
        let port =
            op.attributes.source == .immediate && !isString ? UInt16(op.immediate & 0xff) : state.r16(2)
        guard mayAccess(port, access) else { return .fault }
        switch operation {
        case .in:
            countPort(port, access)
            let value = door.portRead(at: port, width: access)
            if access == .byte {
                state.setR8(0, UInt8(truncatingIfNeeded: value))
            } else {
                setRegister(0, width, value)
            }
            return advance(op, .look)
        case .out:
            countPort(port, access)
            door.portWrite(state.r64(0) & access.mask, at: port, width: access)
            return advance(op, .look)
        default: return repeatPorts(operation, op, port, access)
        }
    }

    private func countPort(_ port: UInt16, _ access: AccessWidth) {
        counters.portAccesses &+= 1
        if state.pointee.dr7 & 0xff != 0 { notePortBreakpoints(port, access.bytes) }
    }

    /// As many elements as can be moved before somebody asks for something. A repeated instruction that is not at its end
    /// is begun again.
    private func repeatPorts(
        _ operation: SystemOperation, _ op: MicroOp, _ port: UInt16, _ access: AccessWidth
    ) -> Outcome {
        let addresses = op.attributes.addressWidth
        let pointer: UInt8 = operation == .ins ? 7 : 6
        let back = state.pointee.systemFlags & RFlags.direction != 0
        let step = back ? 0 &- access.bytes : access.bytes
        guard op.attributes.repeats != .none else {
            guard movePort(operation, op, port, access) else { return .fault }
            setRegister(pointer, addresses, state.r64(pointer) &+ step)
            return advance(op, .look)
        }
        repeat {
            let count = register(1, addresses)
            guard count != 0 else { return advance(op, .look) }
            guard movePort(operation, op, port, access) else { return .fault }
            setRegister(pointer, addresses, state.r64(pointer) &+ step)
            setRegister(1, addresses, count &- 1)
            if count == 1 { return advance(op, .look) }
        } while !state.hasRequests && state.pointee.systemFlags & RFlags.trap == 0 && debugHits == 0
        return .look
    }

    private func movePort(
        _ operation: SystemOperation, _ op: MicroOp, _ port: UInt16, _ access: AccessWidth
    ) -> Bool {
        let width = op.attributes.width
        let mask = op.attributes.addressWidth.mask
        if operation == .outs {
            let segment = op.segment.segment ?? .ds
            guard let place = linear(segment, state.r64(6) & mask, count: access.bytes, writes: false),
                let value = load(width, at: place)
            else { return false }
            countPort(port, access)
            door.portWrite(value, at: port, width: access)
            return true
        }
        guard let place = linear(.es, state.r64(7) & mask, count: access.bytes, writes: true) else { return false }
        // The memory is proved before the port is read: a device's read cannot be taken back.
        guard loadSlow(place, bytes: access.bytes, .write) else { return false }
        countPort(port, access)
        return store(width, door.portRead(at: port, width: access), at: place)
    }

    /// Whether the code that runs may access `port`: by IOPL, or the bitmap in its TSS (Intel SDM Vol 1 §20.5.2). Raises
    /// #GP(0) where not.
    func mayAccess(_ port: UInt16, _ access: AccessWidth) -> Bool {
        guard !isReal, isVirtual8086 || state.pointee.privilege > ioPrivilege else { return true }
        let tss = state.pointee.tr
        guard tss.rights.type & 8 != 0, tss.limit >= 0x67 else { return refuseValue() }
        guard let base = loadSystem(tss.base &+ 0x66, bytes: 2) else { return false }
        let place = base &+ UInt64(port / 8)
        // Two bytes are read, for ports that cross one.
        guard place + 1 <= UInt64(tss.limit) else { return refuseValue() }
        guard let bits = loadSystem(tss.base &+ place, bytes: 2) else { return false }
        let wanted: UInt64 = ((1 << access.bytes) - 1) << UInt64(port & 7)
        return bits & wanted == 0 || refuseValue()
    }
}
