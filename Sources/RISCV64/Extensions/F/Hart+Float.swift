// SPDX-License-Identifier: Apache-2.0

import MachineCore
import SoftFloat

extension Hart {
    /// Executes a floating-point instruction that is neither a load nor a store; false: it is illegal here (the unit is
    /// off, or the rounding mode is reserved).
    @inline(never)
    func executeFloat(_ op: MicroOp) -> Bool {
        guard state.pointee.mstatus & MStatus.fs != 0 else { return false }
        switch FloatOperands(bits: op.immediate).format {
        case 0: return executeFloat(op, Binary32.self)
        case 1: return executeFloat(op, Binary64.self)
        case 2: return executeFloat(op, Binary16.self)
        default: return false
        }
    }

    @inline(__always)
    private func executeFloat<Format: BoxedFloat>(_ op: MicroOp, _: Format.Type) -> Bool {
        let operands = FloatOperands(bits: op.immediate)
        // Moves, sign injection, comparisons and classification have no rounding mode (Unpriv 20240411 §20.6 to §20.9).
        switch op.operation {
        case .fsgnj, .fsgnjn, .fsgnjx: injectSign(op, operands, Format.self)
        case .fmvToX: state.setX(Int(op.a), Format.signExtended(state.f(Int(op.b))))
        case .fmvFromX: state.setF(Int(op.a), Format.box(Format(pattern: Format.bits(state.x(Int(op.b))))))
        case .fclass: state.setX(Int(op.a), UInt64(Format.unbox(state.f(Int(op.b))).classification))
        case .feq, .flt, .fle, .fmin, .fmax: compare(op, operands, Format.self)
        default:
            guard let rounding = roundingMode(operands) else { return false }
            arithmetic(op, operands, rounding, Format.self)
        }
        return true
    }

    /// The instruction's rounding mode, or frm's where it says 7; nil where that is reserved (§20.2).
    @inline(__always)
    private func roundingMode(_ operands: FloatOperands) -> Rounding? {
        let field = operands.rounding
        return Rounding(rawValue: UInt8(field == 7 ? Int(state.pointee.fcsr >> 5 & 7) : field))
    }

    @inline(__always)
    private func finish(_ environment: RISCVFloatEnvironment) {
        let flags = UInt64(environment.flags.rawValue)
        if flags == 0 { return }
        state.pointee.fcsr |= flags
        state.pointee.mstatus |= MStatus.fs
    }

    private func injectSign<Format: BoxedFloat>(_ op: MicroOp, _ operands: FloatOperands, _: Format.Type) {
        let x = Format.unbox(state.f(Int(op.b)))
        let y = Format.unbox(state.f(operands.rs2))
        let flips =
            switch op.operation {
            case .fsgnj: x.isNegative != y.isNegative
            case .fsgnjn: x.isNegative == y.isNegative
            default: y.isNegative
            }
        state.setF(Int(op.a), Format.box(flips ? x.negated : x))
    }

    private func compare<Format: BoxedFloat>(_ op: MicroOp, _ operands: FloatOperands, _: Format.Type) {
        var environment = RISCVFloatEnvironment(rounding: .nearestEven)
        let x = Format.unbox(state.f(Int(op.b)))
        let y = Format.unbox(state.f(operands.rs2))
        switch op.operation {
        case .feq: state.setX(Int(op.a), Format.equal(x, y, &environment) ? 1 : 0)
        case .flt: state.setX(Int(op.a), Format.less(x, y, &environment) ? 1 : 0)
        case .fle: state.setX(Int(op.a), Format.lessOrEqual(x, y, &environment) ? 1 : 0)
        case .fmin: state.setF(Int(op.a), Format.box(Format.minimum(x, y, &environment)))
        default: state.setF(Int(op.a), Format.box(Format.maximum(x, y, &environment)))
        }
        finish(environment)
    }

    @inline(__always)
    private func arithmetic<Format: BoxedFloat>(
        _ op: MicroOp, _ operands: FloatOperands, _ rounding: Rounding, _: Format.Type
    ) {
        var environment = RISCVFloatEnvironment(rounding: rounding)
        let x = Format.unbox(state.f(Int(op.b)))
        var y: Format { Format.unbox(state.f(operands.rs2)) }
        var z: Format { Format.unbox(state.f(operands.rs3)) }
        let result: Format
        switch op.operation {
        case .fadd: result = Format.add(x, y, &environment)
        case .fsub: result = Format.subtract(x, y, &environment)
        case .fmul: result = Format.multiply(x, y, &environment)
        case .fdiv: result = Format.divide(x, y, &environment)
        case .fsqrt: result = Format.squareRoot(x, &environment)
        case .fmadd: result = Format.multiplyAdd(x, y, z, &environment)
        case .fmsub: result = Format.multiplyAdd(x, y, z.negated, &environment)
        case .fnmsub: result = Format.multiplyAdd(x.negated, y, z, &environment)
        case .fnmadd: result = Format.multiplyAdd(x.negated, y, z.negated, &environment)
        case .fcvtFloat: result = convert(operands, Int(op.b), &environment)
        case .fcvtFromW: result = Format.fromInteger(Int32(truncatingIfNeeded: state.x(Int(op.b))), &environment)
        case .fcvtFromWu: result = Format.fromInteger(UInt32(truncatingIfNeeded: state.x(Int(op.b))), &environment)
        case .fcvtFromL: result = Format.fromInteger(Int64(bitPattern: state.x(Int(op.b))), &environment)
        case .fcvtFromLu: result = Format.fromInteger(state.x(Int(op.b)), &environment)
        default:
            state.setX(Int(op.a), integer(op.operation, x, &environment))
            return finish(environment)
        }
        state.setF(Int(op.a), Format.box(result))
        finish(environment)
    }

    /// From the format that rs2's field names.
    private func convert<Format: BoxedFloat>(
        _ operands: FloatOperands, _ source: Int, _ environment: inout RISCVFloatEnvironment
    ) -> Format {
        let bits = state.f(source)
        switch operands.rs2 {
        case 0: return Binary32.unbox(bits).converted(to: Format.self, &environment)
        case 1: return Binary64.unbox(bits).converted(to: Format.self, &environment)
        default: return Binary16.unbox(bits).converted(to: Format.self, &environment)
        }
    }

    /// To an integer, 32-bit ones sign-extended whether signed or not (§20.7).
    private func integer<Format: BoxedFloat>(
        _ operation: Operation, _ x: Format, _ environment: inout RISCVFloatEnvironment
    ) -> UInt64 {
        switch operation {
        case .fcvtToW: return UInt64(bitPattern: Int64(x.toInteger(Int32.self, &environment)))
        case .fcvtToWu:
            return UInt64(bitPattern: Int64(Int32(bitPattern: x.toInteger(UInt32.self, &environment))))
        case .fcvtToL: return UInt64(bitPattern: x.toInteger(Int64.self, &environment))
        default: return x.toInteger(UInt64.self, &environment)
        }
    }
}

/// A format as f registers hold it: narrower ones with all ones above (RISC-V Unpriv 20240411 §21.2).
protocol BoxedFloat: InterchangeFormat where Significand == UInt64 {
    /// The format's width in bits.
    static var width: UInt64 { get }
}

extension BoxedFloat {
    @inline(__always)
    static var mask: UInt64 { width == 64 ? .max : (1 << width) - 1 }

    @inline(__always)
    static func bits(_ register: UInt64) -> UInt64 { register & mask }

    /// The register's value in this format; what is not boxed right counts as the canonical NaN.
    @inline(__always)
    static func unbox(_ register: UInt64) -> Self {
        register | mask == .max ? Self(pattern: register & mask) : canonicalNaN
    }

    @inline(__always)
    static func box(_ value: Self) -> UInt64 { value.pattern | ~mask }

    /// The register's low bits, sign-extended, whether boxed or not.
    @inline(__always)
    static func signExtended(_ register: UInt64) -> UInt64 {
        let shift = Int64(64 - width)
        return UInt64(bitPattern: (Int64(bitPattern: register) << shift) >> shift)
    }
}

extension Binary16: BoxedFloat { static var width: UInt64 { 16 } }
extension Binary32: BoxedFloat { static var width: UInt64 { 32 } }
extension Binary64: BoxedFloat { static var width: UInt64 { 64 } }
