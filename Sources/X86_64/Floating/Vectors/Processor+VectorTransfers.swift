// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Vector instructions that exchange values with general registers, choose lanes, or look at single elements.
    @inline(never)
    func executeTransfer(_ op: MicroOp, _ operation: VectorOperation, _ shape: VectorShape) -> Outcome {
        switch shape {
        case .fromGeneral: return fromGeneral(op, operation)
        case .toGeneral4, .toGeneral8: return toGeneral(op, operation, isDouble: shape == .toGeneral8)
        case .moveFromGeneral:
            guard let value = general(op, bytes: isQuad(op) ? 8 : 4) else { return .fault }
            setVector(op.a, LanePair(Lane(low: value)), op)
            return .next
        case .moveToGeneral: return setGeneral(op, vector(op.a).lower.low, bytes: isQuad(op) ? 8 : 4)
        case .insert1: return insert(op, bytes: 1)
        case .insert2: return insert(op, bytes: 2)
        case .insertY: return insert(op, bytes: isQuad(op) ? 8 : 4)
        case .insertSingle: return insertSingle(op)
        case .extract1: return extract(op, bytes: 1)
        case .extract2: return extract(op, bytes: 2)
        case .extract4: return extract(op, bytes: 4)
        case .extractY: return extract(op, bytes: isQuad(op) ? 8 : 4)
        case .extractToGeneral:
            state.setR64(op.a, vector(op.b).lower.element(bytes: 2, at: Int(op.immediate & 7)))
            return .next
        case .broadcast1: return broadcast(op, bytes: 1)
        case .broadcast2: return broadcast(op, bytes: 2)
        case .broadcast4: return broadcast(op, bytes: 4)
        case .broadcast8: return broadcast(op, bytes: 8)
        case .broadcast16: return broadcast(op, bytes: 16)
        case .permute128, .insert128, .extract128, .permute256: return permute(op, operation, shape)
        case .maskedLoad4: return loadMasked(op, bytes: 4)
        case .maskedLoad8: return loadMasked(op, bytes: 8)
        case .maskedStore4: return storeMasked(op, bytes: 4)
        case .maskedStore8: return storeMasked(op, bytes: 8)
        case .maskedStore: return storeBytes(op, vector(op.a).lower, mask: vector(op.b).lower, count: 16)
        case .gather32by32: return gather(op, indexBytes: 4, elementBytes: 4)
        case .gather64by32: return gather(op, indexBytes: 4, elementBytes: 8)
        case .gather32by64: return gather(op, indexBytes: 8, elementBytes: 4)
        case .gather64by64: return gather(op, indexBytes: 8, elementBytes: 8)
        case .special: return executeSpecialVector(op, operation)
        case .saveArea: return executeStateTransfer(op, operation)
        default: return executeMMX(op, operation, shape)
        }
    }

    /// Whether a general operand has 64 bits.
    @inline(__always)
    func isQuad(_ op: MicroOp) -> Bool { op.attributes.w && op.attributes.mode == .long64 }

    /// The general register or memory that ModRM.rm names, zero-extended from `bytes`.
    func general(_ op: MicroOp, bytes: UInt64) -> UInt64? {
        if op.attributes.isMemory {
            guard let address = address(op, count: bytes) else { return nil }
            return load(pair: address, bytes: bytes, stack: op.segment.isStack)?.lower.low
        }
        let value = state.r64(op.b)
        return bytes == 8 ? value : value & (1 << (bytes * 8) - 1)
    }

    /// Writes the general register, zero-extended, or the memory that ModRM.rm names.
    func setGeneral(_ op: MicroOp, _ value: UInt64, bytes: UInt64) -> Outcome {
        if op.attributes.isMemory { return store(LanePair(Lane(low: value)), op, bytes: bytes) ? .next : .fault }
        state.setR64(op.b, bytes == 8 ? value : value & (1 << (bytes * 8) - 1))
        return .next
    }

    private func fromGeneral(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        let quad = isQuad(op)
        guard let value = general(op, bytes: quad ? 8 : 4) else { return .fault }
        let number = quad ? Int64(bitPattern: value) : Int64(Int32(truncatingIfNeeded: value))
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        var result = firstSource(op).lower
        if operation == .cvtsi2sd {
            result.low = environment.fromInteger(number, to: Binary64.self).bits
        } else {
            result.low = result.low & ~0xffff_ffff | UInt64(environment.fromInteger(number, to: Binary32.self).bits)
        }
        guard finish(environment) else { return .fault }
        setVector(op.a, LanePair(result), op)
        return .next
    }

    private func toGeneral(_ op: MicroOp, _ operation: VectorOperation, isDouble: Bool) -> Outcome {
        guard let source = source(op, bytes: isDouble ? 8 : 4) else { return .fault }
        let truncating = operation == .cvttss2si || operation == .cvttsd2si
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        func integer<Format: FloatFormat>(_ x: Format) -> UInt64 {
            isQuad(op)
                ? UInt64(bitPattern: environment.toInteger(x, Int64.self, truncating: truncating))
                : UInt64(UInt32(bitPattern: environment.toInteger(x, Int32.self, truncating: truncating)))
        }
        let bits = source.lower.low
        let result = isDouble ? integer(Binary64(bits: bits)) : integer(Binary32(pattern: bits))
        guard finish(environment) else { return .fault }
        state.setR64(op.a, result)
        return .next
    }

    private func insert(_ op: MicroOp, bytes: Int) -> Outcome {
        guard let value = general(op, bytes: UInt64(bytes)) else { return .fault }
        let result = firstSource(op).lower.inserting(value, bytes: bytes, at: Int(op.immediate & 15))
        setVector(op.a, LanePair(result), op)
        return .next
    }

    private func insertSingle(_ op: MicroOp) -> Outcome {
        guard let source = source(op, bytes: 4) else { return .fault }
        let immediate = UInt8(truncatingIfNeeded: op.immediate)
        // Bits 7:6 choose the element of a register; memory has one.
        let chosen = op.attributes.isMemory ? 0 : Int(immediate >> 6)
        let value = UInt32(truncatingIfNeeded: source.lower.element(bytes: 4, at: chosen))
        setVector(op.a, LanePair(.insertSingle(firstSource(op).lower, value, immediate)), op)
        return .next
    }

    private func extract(_ op: MicroOp, bytes: Int) -> Outcome {
        let value = vector(op.a).lower.element(bytes: bytes, at: Int(op.immediate & 15))
        return setGeneral(op, value, bytes: UInt64(bytes))
    }

    private func broadcast(_ op: MicroOp, bytes: UInt64) -> Outcome {
        guard let source = source(op, bytes: bytes) else { return .fault }
        let low = source.lower.low
        let lane: Lane =
            switch bytes {
            case 1: Lane(Lane.Bytes(repeating: UInt8(truncatingIfNeeded: low)))
            case 2: Lane(Lane.Words(repeating: UInt16(truncatingIfNeeded: low)))
            case 4: Lane(Lane.Doubles(repeating: UInt32(truncatingIfNeeded: low)))
            case 8: Lane(low: low, high: low)
            default: source.lower
            }
        setVector(op.a, LanePair(lane, lane), op)
        return .next
    }

    /// What crosses lanes.
    private func permute(_ op: MicroOp, _ operation: VectorOperation, _ shape: VectorShape) -> Outcome {
        let immediate = UInt8(truncatingIfNeeded: op.immediate)
        if shape == .extract128 {
            let source = vector(op.a)
            let lane = immediate & 1 == 0 ? source.lower : source.upper
            if op.attributes.isMemory { return store(LanePair(lane), op, bytes: 16) ? .next : .fault }
            setLowerLane(op.b, lane)
            setUpperLane(op.b, Lane())
            return .next
        }
        guard let y = source(op, bytes: shape == .insert128 ? 16 : 32) else { return .fault }
        let x = vector(op.attributes.vvvv)
        var result = x
        switch operation {
        case .insert128:
            if immediate & 1 == 0 { result.lower = y.lower } else { result.upper = y.lower }
        case .perm2x128:
            func chosen(_ field: UInt8) -> Lane {
                if field & 8 != 0 { return Lane() }
                return switch field & 3 {
                case 0: x.lower
                case 1: x.upper
                case 2: y.lower
                default: y.upper
                }
            }
            result = LanePair(chosen(immediate), chosen(immediate >> 4))
        case .permd:
            func chosen(_ index: UInt32) -> UInt32 {
                let lane = index & 4 == 0 ? y.lower : y.upper
                return lane.elements(Lane.Doubles.self)[Int(index & 3)]
            }
            result = LanePair(x.lower.map(Lane.Doubles.self, chosen), x.upper.map(Lane.Doubles.self, chosen))
        default:
            func chosen(_ shift: UInt8) -> UInt64 {
                let index = immediate >> shift & 3
                return (index & 2 == 0 ? y.lower : y.upper).bits[Int(index & 1)]
            }
            result = LanePair(Lane(low: chosen(0), high: chosen(2)), Lane(low: chosen(4), high: chosen(6)))
        }
        setVector(op.a, result, op)
        return .next
    }

    private func executeSpecialVector(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        switch operation {
        case .ldmxcsr:
            guard let value = general(op, bytes: 4) else { return .fault }
            guard value & ~UInt64(mxcsrMask) == 0 else { return raise(.generalProtection) }
            state.pointee.mxcsr = UInt32(truncatingIfNeeded: value)
        case .stmxcsr: return store(LanePair(Lane(low: UInt64(state.pointee.mxcsr))), op, bytes: 4) ? .next : .fault
        case .vzeroupper, .vzeroall:
            // Outside of 64-bit mode the first eight alone.
            for register in 0..<UInt8(op.attributes.mode == .long64 ? 16 : 8) {
                if operation == .vzeroall { setLowerLane(register, Lane()) }
                setUpperLane(register, Lane())
            }
        default: return raise(.invalidOpcode)
        }
        return .next
    }

    /// The bits of MXCSR that may be set (Intel SDM Vol 1 §11.6.6).
    var mxcsrMask: UInt32 { 0xffff }
}
