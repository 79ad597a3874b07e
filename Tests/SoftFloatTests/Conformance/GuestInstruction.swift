// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing

/// A RISC-V instruction by its mnemonic, with what SoftFloat makes of it.
struct GuestInstruction: Sendable, CustomTestStringConvertible {
    typealias Evaluation = @Sendable (Operands, inout RISCVFloatEnvironment) -> UInt64

    var name: String
    /// What the operands hold.
    var source: OperandFormat
    /// The bits of the result that count: the rest is NaN boxing or sign extension, the caller's business.
    var resultMask: UInt64
    var evaluate: Evaluation

    var testDescription: String { name }

    /// Every instruction of F, D and Zfh that computes, in one format each.
    static let all: [GuestInstruction] =
        arithmetic(Binary16.self, "h", .half) + arithmetic(Binary32.self, "s", .single)
        + arithmetic(Binary64.self, "d", .double) + conversions

    private static func arithmetic<F: InterchangeFormat>(
        _ format: F.Type, _ suffix: String, _ source: OperandFormat
    ) -> [GuestInstruction] where F.Significand == UInt64 {
        func row(
            _ mnemonic: String, _ evaluate: @escaping @Sendable (F, F, F, inout RISCVFloatEnvironment) -> F
        ) -> GuestInstruction {
            GuestInstruction(name: "\(mnemonic).\(suffix)", source: source, resultMask: source.shape?.mask ?? 0) {
                evaluate(F(pattern: $0.a), F(pattern: $0.b), F(pattern: $0.c), &$1).pattern
            }
        }
        func bit(
            _ mnemonic: String, _ evaluate: @escaping @Sendable (F, F, inout RISCVFloatEnvironment) -> Bool
        ) -> GuestInstruction {
            GuestInstruction(name: "\(mnemonic).\(suffix)", source: source, resultMask: .max) {
                evaluate(F(pattern: $0.a), F(pattern: $0.b), &$1) ? 1 : 0
            }
        }
        func toInteger<I: FixedWidthInteger & Sendable>(_ mnemonic: String, _ type: I.Type) -> GuestInstruction {
            GuestInstruction(name: "\(mnemonic).\(suffix)", source: source, resultMask: .max) {
                extended(F(pattern: $0.a).toInteger(I.self, &$1))
            }
        }
        func fromInteger<I: FixedWidthInteger & Sendable>(_ mnemonic: String, _ type: I.Type) -> GuestInstruction {
            GuestInstruction(
                name: "fcvt.\(suffix).\(mnemonic)", source: .integer, resultMask: source.shape?.mask ?? 0
            ) {
                F.fromInteger(I(truncatingIfNeeded: $0.a), &$1).pattern
            }
        }
        return [
            row("fadd") { x, y, _, e in F.add(x, y, &e) },
            row("fsub") { x, y, _, e in F.subtract(x, y, &e) },
            row("fmul") { x, y, _, e in F.multiply(x, y, &e) },
            row("fdiv") { x, y, _, e in F.divide(x, y, &e) },
            row("fsqrt") { x, _, _, e in F.squareRoot(x, &e) },
            row("fmadd") { x, y, z, e in F.multiplyAdd(x, y, z, &e) },
            row("fmsub") { x, y, z, e in F.multiplyAdd(x, y, z.negated, &e) },
            row("fnmsub") { x, y, z, e in F.multiplyAdd(x.negated, y, z, &e) },
            row("fnmadd") { x, y, z, e in F.multiplyAdd(x.negated, y, z.negated, &e) },
            row("fmin") { x, y, _, e in F.minimum(x, y, &e) },
            row("fmax") { x, y, _, e in F.maximum(x, y, &e) },
            bit("feq") { x, y, e in F.equal(x, y, &e) },
            bit("flt") { x, y, e in F.less(x, y, &e) },
            bit("fle") { x, y, e in F.lessOrEqual(x, y, &e) },
            GuestInstruction(name: "fclass.\(suffix)", source: source, resultMask: .max) { operands, _ in
                UInt64(F(pattern: operands.a).classification)
            },
            toInteger("fcvt.w", Int32.self), toInteger("fcvt.wu", UInt32.self),
            toInteger("fcvt.l", Int64.self), toInteger("fcvt.lu", UInt64.self),
            fromInteger("w", Int32.self), fromInteger("wu", UInt32.self),
            fromInteger("l", Int64.self), fromInteger("lu", UInt64.self),
        ]
    }

    /// A 32-bit result is sign-extended, an unsigned one too (RISC-V Unpriv, F 2.2 §20.7).
    private static func extended<I: FixedWidthInteger>(_ value: I) -> UInt64 {
        I.bitWidth == 32
            ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : UInt64(truncatingIfNeeded: value)
    }

    private static let conversions: [GuestInstruction] = [
        conversion("fcvt.s.h", Binary16.self, .half, Binary32.self, .single),
        conversion("fcvt.d.h", Binary16.self, .half, Binary64.self, .double),
        conversion("fcvt.h.s", Binary32.self, .single, Binary16.self, .half),
        conversion("fcvt.d.s", Binary32.self, .single, Binary64.self, .double),
        conversion("fcvt.h.d", Binary64.self, .double, Binary16.self, .half),
        conversion("fcvt.s.d", Binary64.self, .double, Binary32.self, .single),
    ]

    private static func conversion<From: FloatFormat, To: FloatFormat>(
        _ name: String, _ from: From.Type, _ source: OperandFormat, _ to: To.Type, _ target: OperandFormat
    ) -> GuestInstruction where From.Significand == UInt64, To.Significand == UInt64 {
        GuestInstruction(name: name, source: source, resultMask: target.shape?.mask ?? 0) {
            From(pattern: $0.a).converted(to: To.self, &$1).pattern
        }
    }
}
