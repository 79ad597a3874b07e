// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing
import X86Oracle

/// An SSE instruction of the host, with what SoftFloat makes of it.
struct SSEInstruction: Sendable, CustomTestStringConvertible {
    typealias Evaluation = @Sendable (UInt64, UInt64, UInt64, inout SSEEnvironment) -> UInt64

    var testDescription: String
    /// The oracle's number of it.
    var operation: UInt32
    /// What the operands hold.
    var source: OperandFormat
    /// The bits of the result that count.
    var mask: UInt64
    var evaluate: Evaluation

    /// Those that every x86-64 host has, but for ROUNDSS (SSE4.1).
    static let baseline: [SSEInstruction] =
        arithmetic(Binary32.self, .single, X86_ADDS, X86_COMIS, X86_ROUNDS)
        + arithmetic(Binary64.self, .double, X86_ADDD, X86_COMID, X86_ROUNDD)
        + toIntegers(Binary32.self, .single, X86_CVTS2W) + toIntegers(Binary64.self, .double, X86_CVTD2W)
        + fromIntegers(Binary32.self, X86_CVTW2S) + fromIntegers(Binary64.self, X86_CVTW2D)
        + [
            SSEInstruction("cvtss2sd", X86_CVTS2D, .single) { a, _, _, e in
                e.convert(Binary32(pattern: a), to: Binary64.self).bits
            },
            SSEInstruction("cvtsd2ss", X86_CVTD2S, .double, mask: 0xffff_ffff) { a, _, _, e in
                e.convert(Binary64(pattern: a), to: Binary32.self).pattern
            },
        ]

    /// Those that came with AVX.
    static let extended: [SSEInstruction] =
        fused(Binary32.self, .single, X86_FMADDS, X86_CMPS) + fused(Binary64.self, .double, X86_FMADDD, X86_CMPD)
        + [
            SSEInstruction("vcvtph2ps", X86_CVTH2S, .half, mask: 0xffff_ffff) { a, _, _, e in
                e.widenHalf(Binary16(pattern: a)).pattern
            },
            SSEInstruction("vcvtps2ph", X86_CVTS2H, .single, mask: 0xffff) { a, _, _, e in
                e.narrowToHalf(Binary32(pattern: a)).pattern
            },
        ]

    init(
        _ name: String, _ operation: x86_sse_operation, plus: Int = 0, _ source: OperandFormat, mask: UInt64 = .max,
        _ evaluate: @escaping Evaluation
    ) {
        testDescription = name
        self.operation = operation.rawValue + UInt32(plus)
        self.source = source
        self.mask = mask
        self.evaluate = evaluate
    }

    private static func arithmetic<F: FloatFormat>(
        _ format: F.Type, _ source: OperandFormat, _ first: x86_sse_operation, _ comparison: x86_sse_operation,
        _ round: x86_sse_operation
    ) -> [SSEInstruction] where F.Significand == UInt64 {
        let mask = source.shape?.mask ?? 0
        let suffix = source == .single ? "s" : "d"
        func row(
            _ name: String, _ index: Int, _ evaluate: @escaping @Sendable (F, F, inout SSEEnvironment) -> F
        ) -> SSEInstruction {
            SSEInstruction("\(name)s\(suffix)", first, plus: index, source, mask: mask) { a, b, _, e in
                evaluate(F(pattern: a), F(pattern: b), &e).pattern
            }
        }
        let rounds = (0..<16).map { immediate in
            SSEInstruction("rounds\(suffix) \(immediate)", round, plus: immediate, source, mask: mask) { a, _, _, e in
                e.round(F(pattern: a), immediate: UInt8(immediate)).pattern
            }
        }
        let comparisons = [true, false].map { signals in
            SSEInstruction("\(signals ? "" : "u")comis\(suffix)", comparison, plus: signals ? 0 : 1, source) {
                a, b, _, e in
                lahf(e.relation(F(pattern: a), F(pattern: b), signalsQuiet: signals))
            }
        }
        return rounds + comparisons + [
            row("add", 0) { x, y, e in e.add(x, y) }, row("sub", 1) { x, y, e in e.subtract(x, y) },
            row("mul", 2) { x, y, e in e.multiply(x, y) }, row("div", 3) { x, y, e in e.divide(x, y) },
            row("min", 4) { x, y, e in e.minimum(x, y) }, row("max", 5) { x, y, e in e.maximum(x, y) },
            row("sqrt", 6) { x, _, e in e.squareRoot(x) },
        ]
    }

    /// ZF, PF and CF as COMISS sets them, bit 1 set (Intel SDM Vol 2, COMISS).
    private static func lahf(_ relation: FloatRelation) -> UInt64 {
        switch relation {
        case .less: 0x03
        case .equal: 0x42
        case .greater: 0x02
        case .unordered: 0x47
        }
    }

    private static func fused<F: InterchangeFormat>(
        _ format: F.Type, _ source: OperandFormat, _ first: x86_sse_operation, _ compare: x86_sse_operation
    ) -> [SSEInstruction] where F.Significand == UInt64 {
        let mask = source.shape?.mask ?? 0
        let products = [false, true].map { negates in
            SSEInstruction(
                "\(negates ? "vfnmsub" : "vfmadd") \(source)", first, plus: negates ? 1 : 0, source, mask: mask
            ) {
                a, b, c, e in
                e.multiplyAdd(
                    F(pattern: a), F(pattern: b), F(pattern: c), negatesProduct: negates, negatesAddend: negates
                ).pattern
            }
        }
        return products
            + (0..<32).map { predicate in
                SSEInstruction("vcmp \(source) \(predicate)", compare, plus: predicate, source, mask: mask) {
                    a, b, _, e in
                    e.compare(F(pattern: a), F(pattern: b), predicate: UInt8(predicate)) ? mask : 0
                }
            }
    }

    private static func toIntegers<F: FloatFormat>(
        _ format: F.Type, _ source: OperandFormat, _ first: x86_sse_operation
    ) -> [SSEInstruction] where F.Significand == UInt64 {
        func row<I: FixedWidthInteger & Sendable>(_ index: Int, _ type: I.Type, truncating: Bool) -> SSEInstruction {
            let mask = UInt64.max >> UInt64(64 - I.bitWidth)
            return SSEInstruction("\(source) to \(I.self) \(truncating)", first, plus: index, source, mask: mask) {
                a, _, _, e in
                UInt64(truncatingIfNeeded: e.toInteger(F(pattern: a), I.self, truncating: truncating))
            }
        }
        return [
            row(0, Int32.self, truncating: false), row(1, Int64.self, truncating: false),
            row(2, Int32.self, truncating: true), row(3, Int64.self, truncating: true),
        ]
    }

    private static func fromIntegers<F: FloatFormat>(
        _ format: F.Type, _ first: x86_sse_operation
    ) -> [SSEInstruction] where F.Significand == UInt64 {
        let mask = format == Binary32.self as Any.Type ? 0xffff_ffff : UInt64.max
        return [
            SSEInstruction("Int32 to \(F.self)", first, plus: 0, .integer, mask: mask) { a, _, _, e in
                e.fromInteger(Int32(truncatingIfNeeded: a), to: F.self).pattern
            },
            SSEInstruction("Int64 to \(F.self)", first, plus: 1, .integer, mask: mask) { a, _, _, e in
                e.fromInteger(Int64(bitPattern: a), to: F.self).pattern
            },
        ]
    }
}
