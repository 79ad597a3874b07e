// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Instructions on MMX registers, which are the significands of the x87 registers by their physical numbers
    /// (Intel SDM Vol 1 §9.2).
    @inline(never)
    func executeMMX(_ op: MicroOp, _ operation: VectorOperation, _ shape: VectorShape) -> Outcome {
        let immediate = UInt8(truncatingIfNeeded: op.immediate)
        switch shape {
        case .mmx:
            guard let y = mmxSource(op) else { return .fault }
            setMMX(op.a, operation.mmx(mmx(op.a), y, immediate))
        case .mmxShift:
            setMMX(op.b, operation.integers(Lane(low: mmx(op.b)), Lane(low: UInt64(immediate)), 0).low)
        case .mmxLoad:
            guard let y = mmxSource(op) else { return .fault }
            setMMX(op.a, y)
        case .mmxStore:
            let value = mmx(op.a)
            if op.attributes.isMemory {
                guard store(LanePair(Lane(low: value)), op, bytes: 8) else { return .fault }
                enterMMX()
            } else {
                setMMX(op.b, value)
            }
        case .mmxFromGeneral:
            guard let value = general(op, bytes: isQuad(op) ? 8 : 4) else { return .fault }
            setMMX(op.a, value)
        case .mmxToGeneral:
            guard setGeneral(op, mmx(op.a), bytes: isQuad(op) ? 8 : 4) == .next else { return .fault }
            enterMMX()
        case .mmxInsert:
            guard let value = general(op, bytes: 2) else { return .fault }
            setMMX(op.a, Lane(low: mmx(op.a)).inserting(value, bytes: 2, at: Int(immediate & 3)).low)
        case .mmxExtract:
            state.setR64(op.a, Lane(low: mmx(op.b)).element(bytes: 2, at: Int(immediate & 3)))
            enterMMX()
        case .mmxMask:
            state.setR64(op.a, UInt64(Lane(low: mmx(op.b)).signs(Lane.SignedBytes.self)))
            enterMMX()
        case .mmxMaskedStore:
            guard storeBytes(op, Lane(low: mmx(op.a)), mask: Lane(low: mmx(op.b)), count: 8) == .next else {
                return .fault
            }
            enterMMX()
        case .mmxEmpty:
            // TOP becomes zero here too (Intel SDM Vol 1 §9.5.1, table 9-3).
            state.pointee.x87Status &= ~X87Status.top
            state.pointee.x87Tags = 0
        case .vectorToMMX: setMMX(op.a, vector(op.b).lower.low)
        case .mmxToVector:
            setLowerLane(op.a, Lane(low: mmx(op.b)))
            enterMMX()
        case .fromMMX: return fromMMX(op, operation)
        case .toMMX8, .toMMX16: return toMMX(op, operation, bytes: shape == .toMMX8 ? 8 : 16)
        default: return raise(.invalidOpcode)
        }
        return .next
    }

    @inline(__always)
    private func mmx(_ register: UInt8) -> UInt64 { state.pointee.x87Significands[Int(register & 7)] }

    /// Writes an MMX register: the exponent's place becomes all ones.
    @inline(__always)
    private func setMMX(_ register: UInt8, _ value: UInt64) {
        state.pointee.x87Significands[Int(register & 7)] = value
        state.pointee.x87Exponents[Int(register & 7)] = 0xffff
        enterMMX()
    }

    /// What every MMX instruction but EMMS does: TOP becomes 0, and no register is empty (Intel SDM Vol 1 §9.5.1).
    @inline(__always)
    private func enterMMX() {
        state.pointee.x87Status &= ~0x3800
        state.pointee.x87Tags = 0xff
    }

    private func mmxSource(_ op: MicroOp) -> UInt64? {
        guard op.attributes.isMemory else { return mmx(op.b) }
        guard let address = address(op, count: 8) else { return nil }
        return load(UInt64.self, at: address, stack: op.segment.isStack)
    }

    /// CVTPI2PS and CVTPI2PD. They leave the x87 state alone when their operand is memory.
    private func fromMMX(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        guard let source = mmxSource(op) else { return .fault }
        let first = Int32(truncatingIfNeeded: source)
        let second = Int32(truncatingIfNeeded: source >> 32)
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        var result = vector(op.a).lower
        if operation == .cvtpi2pd {
            result.low = environment.fromInteger(first, to: Binary64.self).bits
            result.high = environment.fromInteger(second, to: Binary64.self).bits
        } else {
            result.low = UInt64(environment.fromInteger(first, to: Binary32.self).bits)
            result.low |= UInt64(environment.fromInteger(second, to: Binary32.self).bits) << 32
        }
        guard finish(environment) else { return .fault }
        setLowerLane(op.a, result)
        if !op.attributes.isMemory { enterMMX() }
        return .next
    }

    /// CVTPS2PI, CVTPD2PI and their truncating kin.
    private func toMMX(_ op: MicroOp, _ operation: VectorOperation, bytes: UInt64) -> Outcome {
        guard let source = source(op, bytes: bytes) else { return .fault }
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        let result: UInt64
        if bytes == 16 {
            result = operation.narrowed(source.lower, &environment)
        } else {
            let truncating = operation == .cvttps2pi
            let low = environment.toInteger(Binary32(pattern: source.lower.low), Int32.self, truncating: truncating)
            let high = environment.toInteger(
                Binary32(pattern: source.lower.low >> 32), Int32.self, truncating: truncating)
            result = UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
        }
        guard finish(environment) else { return .fault }
        setMMX(op.a, result)
        return .next
    }
}

extension VectorOperation {
    /// An operation on 64 bits. Most do to the low half of a lane what they do to a whole one.
    func mmx(_ x: UInt64, _ y: UInt64, _ immediate: UInt8) -> UInt64 {
        let (left, right) = (Lane(low: x), Lane(low: y))
        switch self {
        case .packsswb, .packuswb, .packssdw, .phaddw, .phaddd, .phaddsw, .phsubw, .phsubd, .phsubsw:
            // Both operands side by side: the first half of the result is that of the first one.
            let both = Lane(low: x, high: y)
            return integers(both, both, immediate).low
        case .unpackHigh8: return VectorOperation.unpackLow8.integers(left, right, immediate).high
        case .unpackHigh16: return VectorOperation.unpackLow16.integers(left, right, immediate).high
        case .unpackHigh32: return VectorOperation.unpackLow32.integers(left, right, immediate).high
        case .pshufb: return Lane.shuffleBytes(left, right, mask: 7).low
        case .palignr: return Lane(low: y, high: x).shifted(bytes: 0 - Int(immediate)).low
        default: return integers(left, right, immediate).low
        }
    }
}
