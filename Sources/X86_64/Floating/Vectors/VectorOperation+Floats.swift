// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension VectorOperation {
    /// An operation on the elements of one lane, or on the lowest alone with the others from `x`. Operations with one
    /// operand take `y`.
    @inline(never)
    func floats(_ x: Lane, _ y: Lane, _ immediate: UInt8, scalar: Bool, _ e: inout SSEEnvironment) -> Lane {
        switch self {
        case .addps: Self.singles(x, y, scalar, &e) { $2.add($0, $1) }
        case .subps: Self.singles(x, y, scalar, &e) { $2.subtract($0, $1) }
        case .mulps: Self.singles(x, y, scalar, &e) { $2.multiply($0, $1) }
        case .divps: Self.singles(x, y, scalar, &e) { $2.divide($0, $1) }
        case .minps: Self.singles(x, y, scalar, &e) { $2.minimum($0, $1) }
        case .maxps: Self.singles(x, y, scalar, &e) { $2.maximum($0, $1) }
        case .sqrtps: Self.singles(x, y, scalar, &e) { $2.squareRoot($1) }
        case .cmpps:
            Self.singles(x, y, scalar, &e) { Binary32(bits: $2.compare($0, $1, predicate: immediate) ? ~0 : 0) }
        case .roundps: Self.singles(x, y, scalar, &e) { $2.round($1, immediate: immediate) }
        case .rcpps: Self.singles(x, y, scalar, &e) { _, y, _ in y.approximateReciprocal }
        case .rsqrtps: Self.singles(x, y, scalar, &e) { _, y, _ in y.approximateReciprocalRoot }
        case .addpd: Self.doubles(x, y, scalar, &e) { $2.add($0, $1) }
        case .subpd: Self.doubles(x, y, scalar, &e) { $2.subtract($0, $1) }
        case .mulpd: Self.doubles(x, y, scalar, &e) { $2.multiply($0, $1) }
        case .divpd: Self.doubles(x, y, scalar, &e) { $2.divide($0, $1) }
        case .minpd: Self.doubles(x, y, scalar, &e) { $2.minimum($0, $1) }
        case .maxpd: Self.doubles(x, y, scalar, &e) { $2.maximum($0, $1) }
        case .sqrtpd: Self.doubles(x, y, scalar, &e) { $2.squareRoot($1) }
        case .cmppd:
            Self.doubles(x, y, scalar, &e) { Binary64(bits: $2.compare($0, $1, predicate: immediate) ? ~0 : 0) }
        case .roundpd: Self.doubles(x, y, scalar, &e) { $2.round($1, immediate: immediate) }
        default: converted(x, y, immediate, &e)
        }
    }

    /// Conversions between elements of one size, and sums across them.
    private func converted(_ x: Lane, _ y: Lane, _ immediate: UInt8, _ e: inout SSEEnvironment) -> Lane {
        switch self {
        case .cvtss2sd:
            Lane(
                low: e.convert(Binary32(bits: UInt32(truncatingIfNeeded: y.low)), to: Binary64.self).bits, high: x.high)
        case .cvtsd2ss:
            Lane(
                low: x.low & ~0xffff_ffff | UInt64(e.convert(Binary64(bits: y.low), to: Binary32.self).bits),
                high: x.high)
        case .cvtdq2ps: Self.singles(y, y, false, &e) { $2.fromInteger(Int32(bitPattern: $1.bits), to: Binary32.self) }
        case .cvtps2dq:
            Self.singles(y, y, false, &e) {
                Binary32(bits: UInt32(bitPattern: $2.toInteger($1, Int32.self, truncating: false)))
            }
        case .cvttps2dq:
            Self.singles(y, y, false, &e) {
                Binary32(bits: UInt32(bitPattern: $2.toInteger($1, Int32.self, truncating: true)))
            }
        case .cvtps2pd: widened(y, &e) { $1.convert(Binary32(bits: $0), to: Binary64.self).bits }
        case .cvtdq2pd: widened(y, &e) { $1.fromInteger(Int32(bitPattern: $0), to: Binary64.self).bits }
        case .cvtph2ps: Self.halves(y, &e)
        case .haddps: Self.horizontalSingles(x, y, &e) { $2.add($0, $1) }
        case .hsubps: Self.horizontalSingles(x, y, &e) { $2.subtract($0, $1) }
        case .haddpd: Self.horizontalDoubles(x, y, &e) { $2.add($0, $1) }
        case .hsubpd: Self.horizontalDoubles(x, y, &e) { $2.subtract($0, $1) }
        case .addsubps:
            Lane.blend(
                Self.singles(x, y, false, &e, only: 0b0101) { $2.subtract($0, $1) },
                Self.singles(x, y, false, &e, only: 0b1010) { $2.add($0, $1) }, 0b1010, Lane.Doubles.self)
        case .addsubpd:
            Lane(
                low: e.subtract(Binary64(bits: x.low), Binary64(bits: y.low)).bits,
                high: e.add(Binary64(bits: x.high), Binary64(bits: y.high)).bits)
        case .dpps: Self.dotProductSingles(x, y, immediate, &e)
        case .dppd: Self.dotProductDoubles(x, y, immediate, &e)
        default: x
        }
    }

    /// CVTPD2PS, CVTPD2DQ and CVTTPD2DQ: two elements become two of half the size.
    func narrowed(_ y: Lane, _ e: inout SSEEnvironment) -> UInt64 {
        var result: UInt64 = 0
        for index in 0..<2 {
            let source = Binary64(bits: y.bits[index])
            let half: UInt32 =
                switch self {
                case .cvtpd2ps: e.convert(source, to: Binary32.self).bits
                case .cvtpd2dq, .cvtpd2pi: UInt32(bitPattern: e.toInteger(source, Int32.self, truncating: false))
                default: UInt32(bitPattern: e.toInteger(source, Int32.self, truncating: true))
                }
            result |= UInt64(half) << UInt64(32 * index)
        }
        return result
    }

    /// The low two elements in twice the size.
    private func widened(
        _ y: Lane, _ e: inout SSEEnvironment, _ body: (UInt32, inout SSEEnvironment) -> UInt64
    ) -> Lane {
        let low = body(UInt32(truncatingIfNeeded: y.low), &e)
        return Lane(low: low, high: body(UInt32(truncatingIfNeeded: y.low >> 32), &e))
    }

    private static func halves(_ y: Lane, _ e: inout SSEEnvironment) -> Lane {
        let source = y.elements(Lane.Words.self)
        var result = Lane.Doubles()
        for index in result.indices { result[index] = e.widenHalf(Binary16(bits: source[index])).bits }
        return Lane(result)
    }

    @inline(__always)
    private static func singles(
        _ x: Lane, _ y: Lane, _ scalar: Bool, _ e: inout SSEEnvironment, only: Int = 15,
        _ body: (Binary32, Binary32, inout SSEEnvironment) -> Binary32
    ) -> Lane {
        let (left, right) = (x.elements(Lane.Doubles.self), y.elements(Lane.Doubles.self))
        var result = left
        for index in 0..<(scalar ? 1 : 4) where only >> index & 1 != 0 {
            result[index] = body(Binary32(bits: left[index]), Binary32(bits: right[index]), &e).bits
        }
        return Lane(result)
    }

    @inline(__always)
    private static func doubles(
        _ x: Lane, _ y: Lane, _ scalar: Bool, _ e: inout SSEEnvironment,
        _ body: (Binary64, Binary64, inout SSEEnvironment) -> Binary64
    ) -> Lane {
        var result = x
        for index in 0..<(scalar ? 1 : 2) {
            result.bits[index] = body(Binary64(bits: x.bits[index]), Binary64(bits: y.bits[index]), &e).bits
        }
        return result
    }

    private static func horizontalSingles(
        _ x: Lane, _ y: Lane, _ e: inout SSEEnvironment, _ body: (Binary32, Binary32, inout SSEEnvironment) -> Binary32
    ) -> Lane {
        Lane.horizontal(x, y, Lane.Doubles.self) { body(Binary32(bits: $0), Binary32(bits: $1), &e).bits }
    }

    private static func horizontalDoubles(
        _ x: Lane, _ y: Lane, _ e: inout SSEEnvironment, _ body: (Binary64, Binary64, inout SSEEnvironment) -> Binary64
    ) -> Lane {
        Lane.horizontal(x, y, Lane.Quads.self) { body(Binary64(bits: $0), Binary64(bits: $1), &e).bits }
    }

    /// DPPS: products that bits 7:4 choose, summed in pairs, into the elements that bits 3:0 choose.
    private static func dotProductSingles(_ x: Lane, _ y: Lane, _ immediate: UInt8, _ e: inout SSEEnvironment) -> Lane {
        let zeros = Lane()
        let products = Self.singles(zeros, zeros, false, &e, only: 0) { x, _, _ in x }
        let chosen = Lane.blend(
            products, Self.singles(x, y, false, &e, only: Int(immediate >> 4)) { $2.multiply($0, $1) }, immediate >> 4,
            Lane.Doubles.self
        ).elements(Lane.Doubles.self)
        // A step whose exceptions trap is the last one.
        guard e.unmasked.isEmpty else { return x }
        e.endStep()
        let low = e.add(Binary32(bits: chosen[0]), Binary32(bits: chosen[1]))
        let high = e.add(Binary32(bits: chosen[2]), Binary32(bits: chosen[3]))
        guard e.unmasked.isEmpty else { return x }
        e.endStep()
        let sum = Lane.Doubles(repeating: e.add(low, high).bits)
        return Lane.blend(zeros, Lane(sum), immediate & 15, Lane.Doubles.self)
    }

    private static func dotProductDoubles(_ x: Lane, _ y: Lane, _ immediate: UInt8, _ e: inout SSEEnvironment) -> Lane {
        var products = Lane()
        for index in 0..<2 where immediate >> UInt8(4 + index) & 1 != 0 {
            products.bits[index] = e.multiply(Binary64(bits: x.bits[index]), Binary64(bits: y.bits[index])).bits
        }
        guard e.unmasked.isEmpty else { return x }
        e.endStep()
        let sum = e.add(Binary64(bits: products.low), Binary64(bits: products.high)).bits
        return Lane(low: immediate & 1 != 0 ? sum : 0, high: immediate & 2 != 0 ? sum : 0)
    }
}
