// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Executes an instruction of the vector room. The instruction pointer is in the state.
    @inline(never)
    func executeVector(_ op: MicroOp) -> Outcome {
        let code = VectorCode(detail: op.detail)
        guard let operation = code.operation, let shape = code.shape else { return raise(.invalidOpcode) }
        guard isVectorAvailable(op, shape) else { return .fault }
        switch shape {
        case .lanes: return lanes(op, operation, firstSource(op), source(op, bytes: vectorBytes(op)))
        case .unary:
            let source = source(op, bytes: vectorBytes(op))
            return lanes(op, operation, source ?? LanePair(), source)
        case .scalar4: return scalar(op, operation, bytes: 4)
        case .scalar8: return scalar(op, operation, bytes: 8)
        case .load: return move(op, unalignedSource(op, bytes: vectorBytes(op)))
        case .loadAligned: return move(op, source(op, bytes: vectorBytes(op), aligned: true))
        case .store, .storeAligned:
            guard op.attributes.isMemory else {
                setVector(op.b, vector(op.a), op)
                return .next
            }
            let aligned = shape == .storeAligned
            return store(vector(op.a), op, bytes: vectorBytes(op), aligned: aligned) ? .next : .fault
        default: return executeRareVector(op, operation, shape)
        }
    }

    /// 16 or 32.
    @inline(__always)
    func vectorBytes(_ op: MicroOp) -> UInt64 { op.attributes.vectorLength256 ? 32 : 16 }

    /// Whether the instruction exists as control registers stand; raises #UD, #NM or #MF where not
    /// (Intel SDM Vol 3A §14.1, Vol 2A §2.4).
    private func isVectorAvailable(_ op: MicroOp, _ shape: VectorShape) -> Bool {
        let cr0 = state.pointee.cr0
        if op.attributes.isVEX {
            let real = cr0 & CR0.pe == 0 || state.pointee.systemFlags & RFlags.virtual8086 != 0
            guard state.pointee.cr4 & CR4.osxsave != 0, state.pointee.xcr0 & 6 == 6, !real else {
                fault = .invalidOpcode
                return false
            }
        } else if shape != .saveArea {
            guard cr0 & CR0.em == 0, shape.isMMX || state.pointee.cr4 & CR4.osfxsr != 0 else {
                fault = .invalidOpcode
                return false
            }
        }
        guard cr0 & CR0.ts == 0 else {
            fault = .deviceNotAvailable
            return false
        }
        if shape.usesMMX && state.pointee.x87Status & 0x80 != 0 { return raisePendingX87() }
        return true
    }

    /// A move to a vector register, or the fault that its source had.
    @inline(__always)
    private func move(_ op: MicroOp, _ source: LanePair?) -> Outcome {
        guard let source else { return .fault }
        setVector(op.a, source, op)
        return .next
    }

    /// An operation lane by lane; nil: its source faulted.
    @inline(__always)
    func lanes(_ op: MicroOp, _ operation: VectorOperation, _ x: LanePair, _ y: LanePair?) -> Outcome {
        guard let y else { return .fault }
        let immediate = operation.immediate(op)
        let upperImmediate = immediate >> operation.immediateBitsOfLane
        var result = LanePair()
        if operation.isFloat {
            var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
            result.lower = operation.floats(x.lower, y.lower, immediate, scalar: false, &environment)
            if op.attributes.vectorLength256 {
                result.upper = operation.floats(x.upper, y.upper, upperImmediate, scalar: false, &environment)
            }
            guard finish(environment) else { return .fault }
        } else {
            result.lower = operation.integers(x.lower, y.lower, immediate)
            if op.attributes.vectorLength256 {
                result.upper = operation.integers(x.upper, y.upper, upperImmediate)
            }
        }
        setVector(op.a, result, op)
        return .next
    }

    /// An operation on the lowest element, the others from the first source.
    @inline(__always)
    private func scalar(_ op: MicroOp, _ operation: VectorOperation, bytes: UInt64) -> Outcome {
        guard let y = source(op, bytes: bytes) else { return .fault }
        let x = firstSource(op)
        let immediate = operation.immediate(op)
        var result = LanePair()
        if operation.isFloat {
            var environment = SSEEnvironment(mxcsr: state.pointee.mxcsr)
            result.lower = operation.floats(x.lower, y.lower, immediate, scalar: true, &environment)
            guard finish(environment) else { return .fault }
        } else {
            result.lower = operation.integers(x.lower, y.lower, immediate)
        }
        setVector(op.a, result, op)
        return .next
    }
}

extension VectorOperation {
    /// The immediate as far as it counts: CMPPS without VEX has eight predicates, and ignores the bits above.
    @inline(__always)
    fileprivate func immediate(_ op: MicroOp) -> UInt8 {
        let immediate = UInt8(truncatingIfNeeded: op.immediate)
        return !op.attributes.isVEX && (self == .cmpps || self == .cmppd) ? immediate & 7 : immediate
    }
}

extension VectorShape {
    /// Whether the instruction belongs to MMX altogether.
    var isMMX: Bool {
        switch self {
        case .mmx, .mmxInsert, .mmxExtract, .mmxMask, .mmxStore, .mmxMaskedStore, .mmxShift, .mmxFromGeneral,
            .mmxToGeneral, .mmxLoad, .mmxEmpty:
            true
        default: false
        }
    }

    /// Whether it reads or writes MMX registers.
    var usesMMX: Bool {
        switch self {
        case .fromMMX, .toMMX8, .toMMX16, .vectorToMMX, .mmxToVector: true
        default: isMMX
        }
    }
}
