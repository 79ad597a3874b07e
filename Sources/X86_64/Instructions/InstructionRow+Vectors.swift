// SPDX-License-Identifier: Apache-2.0

extension InstructionRow {
    /// A row of the vector room: what it does to its first operand and to flags follows from the operands' shape.
    static func vector(
        _ name: StaticString, _ encoding: Encoding, _ operands: Operands, _ shape: VectorShape,
        _ operation: VectorOperation, _ feature: Feature
    ) -> InstructionRow {
        InstructionRow(
            name, encoding, operands, Semantics(room: .vector, detail: VectorCode(operation, shape).detail),
            shape.flags, access: shape.access(isVEX: encoding.vex != .none), feature: feature)
    }
}

extension Encoding {
    /// The form whose ModRM.rm is a register.
    var onRegisters: Encoding { with(registerForm: true) }
    /// The form whose ModRM.rm is memory.
    var onMemory: Encoding { with(registerForm: false) }

    private func with(registerForm: Bool) -> Encoding {
        Encoding(
            map, opcode, prefix: prefix, vex: vex, w: w, digit: digit, rm: rm, hasRegister: hasRegister,
            registerForm: registerForm)
    }
}

extension VectorShape {
    /// COMISS, PTEST and string comparisons set CF, PF, ZF, SF and OF, and clear AF with them.
    var flags: FlagEffects {
        switch self {
        case .compare4, .compare8, .test, .string: .arithmetic
        default: .none
        }
    }

    /// What happens to the first operand. Without VEX it is the first source too, where there is one.
    func access(isVEX: Bool) -> InstructionRow.Access {
        switch self {
        case .compare4, .compare8, .test, .string, .maskedStore: .read
        case .saveArea: .address
        case .fused, .fusedScalar4, .fusedScalar8, .gather32by32, .gather32by64, .gather64by32, .gather64by64: .update
        case .lanes, .lanesXMM0, .blendXMM0, .scalar4, .scalar8, .half8, .mergeToB, .count, .shift, .insert1, .insert2,
            .insertY, .insertSingle, .mmx, .mmxShift, .mmxInsert, .fromMMX:
            isVEX ? .write : .update
        case .fromGeneral: isVEX ? .write : .update
        default: .write
        }
    }
}

/// The operation and the shape of a vector instruction, in `MicroOp.detail`.
struct VectorCode {
    let detail: UInt16

    @inline(__always)
    init(detail: UInt16) { self.detail = detail }

    init(_ operation: VectorOperation, _ shape: VectorShape) {
        detail = operation.rawValue | shape.rawValue << 9
    }

    @inline(__always)
    var operation: VectorOperation? { VectorOperation(rawValue: detail & 0x1ff) }
    @inline(__always)
    var shape: VectorShape? { VectorShape(rawValue: detail >> 9) }
}
