// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Vector instructions whose operands are not whole vectors.
    @inline(never)
    func executeRareVector(_ op: MicroOp, _ operation: VectorOperation, _ shape: VectorShape) -> Outcome {
        switch shape {
        case .load4: return loadLow(op, bytes: 4)
        case .load8: return loadLow(op, bytes: 8)
        case .store4: return store(vector(op.a), op, bytes: 4) ? .next : .fault
        case .store8: return storeLow8(op)
        case .storeHigh: return store(LanePair(Lane(low: vector(op.a).lower.high)), op, bytes: 8) ? .next : .fault
        case .loadDuplicated:
            // Without VEX.L, MOVDDUP reads 8 bytes.
            let wide = op.attributes.vectorLength256
            let source = unalignedSource(op, bytes: wide ? 32 : 8)
            return lanes(op, operation, LanePair(), source)
        case .mergeToB:
            // The form of MOVSS and MOVSD whose destination is ModRM.rm.
            let first = vector(op.attributes.isVEX ? op.attributes.vvvv : op.b)
            setVector(op.b, LanePair(operation.integers(first.lower, vector(op.a).lower, 0)), op)
            return .next
        case .half8:
            guard let y = source(op, bytes: 8) else { return .fault }
            setVector(op.a, LanePair(operation.integers(firstSource(op).lower, y.lower, 0)), op)
            return .next
        case .widen2: return widen(op, operation, divisor: 2)
        case .widen4: return widen(op, operation, divisor: 4)
        case .widen8: return widen(op, operation, divisor: 8)
        case .narrow: return narrow(op, operation)
        case .narrowHalf: return narrowToHalf(op)
        case .count:
            // The count is 16 bytes of memory for either length.
            guard let count = source(op, bytes: 16) else { return .fault }
            return lanes(op, operation, firstSource(op), LanePair(count.lower, count.lower))
        case .shift:
            let count = Lane(low: UInt64(UInt8(truncatingIfNeeded: op.immediate)))
            return shift(op, operation, count)
        case .lanesXMM0:
            guard let y = source(op, bytes: 16) else { return .fault }
            setVector(op.a, LanePair(.sha256Rounds(vector(op.a).lower, y.lower, vector(0).lower)), op)
            return .next
        case .blendXMM0:
            return blend(op, operation, vector(op.a), source(op, bytes: 16), vector(0))
        case .blend4:
            let mask = vector(UInt8(truncatingIfNeeded: op.immediate) >> 4)
            return blend(op, operation, firstSource(op), source(op, bytes: vectorBytes(op)), mask)
        case .fused, .fusedScalar4, .fusedScalar8: return fuse(op, operation, shape)
        case .compare4, .compare8: return compare(op, operation, isDouble: shape == .compare8)
        case .test: return test(op, operation)
        case .string: return compareStrings(op, operation)
        case .mask: return mask(op, operation)
        default: return executeTransfer(op, operation, shape)
        }
    }

    /// MOVSS, MOVSD and MOVQ from memory, and MOVQ from a register: the rest becomes zero.
    private func loadLow(_ op: MicroOp, bytes: UInt64) -> Outcome {
        guard let source = source(op, bytes: bytes) else { return .fault }
        setVector(op.a, LanePair(Lane(low: source.lower.low)), op)
        return .next
    }

    /// MOVQ and MOVSD to memory; MOVQ to a register clears the rest of it.
    private func storeLow8(_ op: MicroOp) -> Outcome {
        let value = LanePair(Lane(low: vector(op.a).lower.low))
        guard op.attributes.isMemory else {
            setVector(op.b, value, op)
            return .next
        }
        return store(value, op, bytes: 8) ? .next : .fault
    }

    /// Operations whose elements are `divisor` times as wide as those of their source.
    private func widen(_ op: MicroOp, _ operation: VectorOperation, divisor: UInt64) -> Outcome {
        guard let source = unalignedSource(op, bytes: vectorBytes(op) / divisor) else { return .fault }
        // The upper lane's elements lie behind the lower one's.
        let upper = source.lower.shifted(bytes: divisor == 2 ? -8 : divisor == 4 ? -4 : -2)
        let pair = LanePair(source.lower, upper)
        return lanes(op, operation, pair, pair)
    }

    /// CVTPD2PS and its kin: the result is half as wide.
    private func narrow(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        guard let source = source(op, bytes: vectorBytes(op)) else { return .fault }
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        var result = Lane(low: operation.narrowed(source.lower, &environment))
        if op.attributes.vectorLength256 { result.high = operation.narrowed(source.upper, &environment) }
        guard finish(environment) else { return .fault }
        setLowerLane(op.a, result)
        if op.attributes.isVEX { setUpperLane(op.a, Lane()) }
        return .next
    }

    /// VCVTPS2PH: to memory or to a register's lower part.
    private func narrowToHalf(_ op: MicroOp) -> Outcome {
        let immediate = UInt8(truncatingIfNeeded: op.immediate)
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        if immediate & 4 == 0 { environment.rounding = Rounding(x86: UInt32(immediate)) }
        func halves(_ lane: Lane) -> UInt64 {
            let source = lane.elements(Lane.Doubles.self)
            var result: UInt64 = 0
            for index in source.indices {
                result |= UInt64(environment.narrowToHalf(Binary32(bits: source[index])).bits) << UInt64(16 * index)
            }
            return result
        }
        let source = vector(op.a)
        let wide = op.attributes.vectorLength256
        let result = LanePair(Lane(low: halves(source.lower), high: wide ? halves(source.upper) : 0))
        guard op.attributes.isMemory else {
            guard finish(environment) else { return .fault }
            setLowerLane(op.b, result.lower)
            setUpperLane(op.b, Lane())
            return .next
        }
        // A fault of the store comes before flags are noted; an exception comes before the store.
        guard environment.unmasked.isEmpty else { return finish(environment) ? .next : .fault }
        guard store(result, op, bytes: wide ? 16 : 8) else { return .fault }
        return finish(environment) ? .next : .fault
    }

    /// Shifts by an immediate: the destination is ModRM.rm, or VEX.vvvv.
    private func shift(_ op: MicroOp, _ operation: VectorOperation, _ count: Lane) -> Outcome {
        let source = vector(op.b)
        let result = LanePair(
            operation.integers(source.lower, count, 0),
            op.attributes.vectorLength256 ? operation.integers(source.upper, count, 0) : Lane())
        setVector(op.attributes.isVEX ? op.attributes.vvvv : op.b, result, op)
        return .next
    }

    private func blend(
        _ op: MicroOp, _ operation: VectorOperation, _ x: LanePair, _ y: LanePair?, _ mask: LanePair
    ) -> Outcome {
        guard let y else { return .fault }
        func blended(_ x: Lane, _ y: Lane, _ mask: Lane) -> Lane {
            switch operation {
            case .pblendvb: .blend(x, y, mask: mask, Lane.SignedBytes.self)
            case .blendvps: .blend(x, y, mask: mask, Lane.SignedDoubles.self)
            default: .blend(x, y, mask: mask, Lane.SignedQuads.self)
            }
        }
        setVector(
            op.a, LanePair(blended(x.lower, y.lower, mask.lower), blended(x.upper, y.upper, mask.upper)), op)
        return .next
    }

    private func fuse(_ op: MicroOp, _ operation: VectorOperation, _ shape: VectorShape) -> Outcome {
        let bytes: UInt64 = shape == .fusedScalar4 ? 4 : shape == .fusedScalar8 ? 8 : vectorBytes(op)
        guard let z = source(op, bytes: bytes) else { return .fault }
        let (x, y) = (vector(op.a), vector(op.attributes.vvvv))
        let form = FusedForm(operation)
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        let scalar = shape != .fused
        var result = LanePair(form.apply(x.lower, y.lower, z.lower, scalar: scalar, &environment))
        if !scalar && op.attributes.vectorLength256 {
            result.upper = form.apply(x.upper, y.upper, z.upper, scalar: false, &environment)
        }
        guard finish(environment) else { return .fault }
        setLowerLane(op.a, result.lower)
        setUpperLane(op.a, scalar ? Lane() : op.attributes.vectorLength256 ? result.upper : Lane())
        return .next
    }

    /// COMISS, UCOMISS, COMISD and UCOMISD.
    private func compare(_ op: MicroOp, _ operation: VectorOperation, isDouble: Bool) -> Outcome {
        guard let y = source(op, bytes: isDouble ? 8 : 4) else { return .fault }
        let (left, right) = (vector(op.a).lower.low, y.lower.low)
        var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
        let signals = operation == .comiss || operation == .comisd
        let relation =
            isDouble
            ? environment.relation(Binary64(bits: left), Binary64(bits: right), signalsQuiet: signals)
            : environment.relation(Binary32(pattern: left), Binary32(pattern: right), signalsQuiet: signals)
        guard finish(environment) else { return .fault }
        state.pointee.lazyFlags = LazyFlags(relation.flags)
        return .next
    }

    /// PTEST, VTESTPS and VTESTPD: ZF where the operands have no bit in common, CF where the second has none that the
    /// first lacks.
    private func test(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        guard let y = source(op, bytes: vectorBytes(op)) else { return .fault }
        let x = vector(op.a)
        let looked =
            switch operation {
            case .testps: Lane(low: 0x8000_0000_8000_0000, high: 0x8000_0000_8000_0000)
            case .testpd: Lane(low: 1 << 63, high: 1 << 63)
            default: ~Lane()
            }
        var common = x.lower & y.lower & looked
        var missing = ~x.lower & y.lower & looked
        if op.attributes.vectorLength256 {
            common = common | (x.upper & y.upper & looked)
            missing = missing | (~x.upper & y.upper & looked)
        }
        state.pointee.lazyFlags = LazyFlags(
            (common == Lane() ? RFlags.zero : 0) | (missing == Lane() ? RFlags.carry : 0))
        return .next
    }

    private func compareStrings(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        guard let y = unalignedSource(op, bytes: 16) else { return .fault }
        let explicit = operation == .pcmpestri || operation == .pcmpestrm
        func length(_ register: UInt8) -> UInt64? {
            guard explicit else { return nil }
            return op.attributes.w
                ? Int64(bitPattern: state.r64(register)).magnitude
                : UInt64(Int32(bitPattern: state.r32(register)).magnitude)
        }
        let comparison = StringComparison(
            vector(op.a).lower, length: length(0), y.lower, length: length(2),
            control: UInt8(truncatingIfNeeded: op.immediate))
        state.pointee.lazyFlags = LazyFlags(comparison.flags)
        if operation == .pcmpestri || operation == .pcmpistri {
            state.setR64(1, comparison.index)
        } else {
            setLowerLane(0, comparison.mask)
            if op.attributes.isVEX { setUpperLane(0, Lane()) }
        }
        return .next
    }

    /// MOVMSKPS, MOVMSKPD and PMOVMSKB: the elements' signs in a general register.
    private func mask(_ op: MicroOp, _ operation: VectorOperation) -> Outcome {
        let source = vector(op.b)
        func signs(_ lane: Lane) -> UInt32 {
            switch operation {
            case .signs8: lane.signs(Lane.SignedBytes.self)
            case .signs32: lane.signs(Lane.SignedDoubles.self)
            default: lane.signs(Lane.SignedQuads.self)
            }
        }
        let count: UInt32 = operation == .signs8 ? 16 : operation == .signs32 ? 4 : 2
        let upper = op.attributes.vectorLength256 ? signs(source.upper) << count : 0
        state.setR64(op.a, UInt64(signs(source.lower) | upper))
        return .next
    }
}

extension FloatRelation {
    /// ZF, PF and CF as COMISS and FCOMI set them (Intel SDM Vol 2, COMISS).
    var flags: UInt64 {
        switch self {
        case .less: RFlags.carry
        case .equal: RFlags.zero
        case .greater: 0
        case .unordered: RFlags.carry | RFlags.zero | RFlags.parity
        }
    }
}
