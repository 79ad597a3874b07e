// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// Executes an instruction of the x87 room. The instruction pointer is in the state.
    @inline(never)
    func executeX87(_ op: MicroOp) -> Outcome {
        guard let operation = X87Operation(rawValue: op.detail & 0xff) else { return raise(.invalidOpcode) }
        let cr0 = state.pointee.cr0
        if operation == .wait {
            guard cr0 & (CR0.mp | CR0.ts) != CR0.mp | CR0.ts else { return raise(.deviceNotAvailable) }
        } else {
            guard cr0 & (CR0.em | CR0.ts) == 0 else { return raise(.deviceNotAvailable) }
        }
        if operation.isControl { return executeX87Control(op, operation) }
        if state.pointee.x87Status & 0x80 != 0, !raisePendingX87() { return .fault }
        if operation == .wait { return .next }
        let before = state.pointee.x87Status
        var done: Bool
        if operation.rawValue < X87Operation.addTo.rawValue {
            done = arithmetic(op, operation)
        } else if operation.rawValue < X87Operation.wait.rawValue {
            arithmeticInto(op, operation)
            done = true
        } else {
            done = executeX87Rest(op, operation)
        }
        guard done else {
            // A fault of memory leaves nothing behind.
            state.pointee.x87Status = before
            return .fault
        }
        noteX87Instruction(op)
        return .next
    }

    /// Remembers where the last instruction and its operand were (Intel SDM Vol 1 §8.1.8, §8.1.9).
    private func noteX87Instruction(_ op: MicroOp) {
        state.pointee.x87Instruction = state.pointee.rip
        state.pointee.x87InstructionSelector = state.pointee.segments[1].selector
        let digit = op.detail >> 8 & 7
        var modRM = digit << 3
        if op.attributes.isMemory {
            state.pointee.x87Operand = state.effectiveOffset(op) & op.attributes.addressWidth.mask
            let segment = op.segment.segment ?? (op.segment.isStack ? .ss : .ds)
            state.pointee.x87OperandSelector = state.pointee.segments[Int(segment.rawValue)].selector
            let short = op.displacement == Int32(Int8(truncatingIfNeeded: op.displacement))
            modRM |= op.index != 16 ? 4 : UInt16(op.base & 7)
            modRM |= op.displacement == 0 ? 0 : short ? 0x40 : 0x80
        } else {
            modRM |= 0xc0 | UInt16(op.b & 7)
        }
        state.pointee.x87Opcode = UInt16(op.attributes.opcode & 7) << 8 | modRM
    }

    // MARK: Arithmetic

    /// ST(0) with ST(i) or memory; false: memory faulted.
    private func arithmetic(_ op: MicroOp, _ operation: X87Operation) -> Bool {
        let form = operation.rawValue >> 3
        var environment = X87Environment(control: state.pointee.x87Control)
        let other: Extended80
        var isSubnormal = false
        switch form {
        case 0:
            guard !isX87Empty(op.b & 7) else { return underflow(operation) }
            other = x87(op.b & 7)
        case 1:
            guard let bits = loadOperand(op, UInt32.self) else { return false }
            other = Extended80(exactly: Binary32(bits: bits))
            isSubnormal = Binary32(bits: bits).isSubnormal
        case 2:
            guard let bits = loadOperand(op, UInt32.self) else { return false }
            other = Extended80(integer: Int64(Int32(bitPattern: bits)))
        case 3:
            guard let bits = loadOperand(op, UInt64.self) else { return false }
            other = Extended80(exactly: Binary64(bits: bits))
            isSubnormal = Binary64(bits: bits).isSubnormal
        default:
            guard let bits = loadOperand(op, UInt16.self) else { return false }
            other = Extended80(integer: Int64(Int16(bitPattern: bits)))
        }
        guard !isX87Empty(0) else { return underflow(operation) }
        let kind = operation.rawValue & 7
        let top = x87(0)
        if kind == 2 || kind == 3 {
            let relation = Extended80.relation(top, other, signalsQuiet: true, &environment)
            environment.noteSubnormal(isSubnormal && !top.isNaN)
            setConditions(relation.conditions)
            if note(environment), kind == 3 { popX87() }
            return true
        }
        let result = operation.computed(top, other, &environment)
        environment.noteSubnormal(isSubnormal && !top.isNaN)
        if note(environment) { setX87(0, result) }
        return true
    }

    /// An operand of arithmetic is empty.
    private func underflow(_ operation: X87Operation) -> Bool {
        let kind = operation.rawValue & 7
        let masked = stackFault()
        if kind == 2 || kind == 3 {
            setConditions(FloatRelation.unordered.conditions)
            if masked && kind == 3 { popX87() }
        } else if masked {
            setX87(0, .indefinite)
        }
        return true
    }

    /// ST(i) with ST(0) as the other operand, popped or not.
    private func arithmeticInto(_ op: MicroOp, _ operation: X87Operation) {
        let index = op.b & 7
        let pops = operation.rawValue >= X87Operation.addToPop.rawValue
        guard !isX87Empty(0) && !isX87Empty(index) else {
            if stackFault() {
                setX87(index, .indefinite)
                if pops { popX87() }
            }
            return
        }
        var environment = X87Environment(control: state.pointee.x87Control)
        let result = operation.computedInto(x87(index), x87(0), &environment)
        guard note(environment) else { return }
        setX87(index, result)
        if pops { popX87() }
    }

    /// The bytes of the memory operand; nil: it faulted.
    func loadOperand<T: FixedWidthInteger & UnsignedInteger>(_ op: MicroOp, _ type: T.Type) -> T? {
        guard let address = address(op, count: UInt64(MemoryLayout<T>.size)) else { return nil }
        return load(type, at: address, stack: op.segment.isStack)
    }
}

extension X87Environment {
    /// Adds DE for an operand in memory that was subnormal there: it is none in the extended format. Where that traps
    /// nothing else is raised.
    mutating func noteSubnormal(_ isSubnormal: Bool) {
        guard isSubnormal, flags.isDisjoint(with: [.invalid, .divideByZero]) else { return }
        if masks.contains(.denormal) {
            flags.insert(.denormal)
        } else {
            flags = .denormal
            roundedUp = false
        }
    }
}

extension FloatRelation {
    /// C3, C2 and C0 as FCOM sets them.
    var conditions: UInt16 {
        switch self {
        case .less: X87Status.c0
        case .equal: X87Status.c3
        case .greater: 0
        case .unordered: X87Status.c0 | X87Status.c2 | X87Status.c3
        }
    }
}

extension X87Operation {
    /// Whether it reads or writes the unit's own registers, without waiting for a pending exception.
    var isControl: Bool {
        switch self {
        case .initialize, .clearExceptions, .storeControl, .storeStatus, .storeStatusToAX, .storeEnvironment, .save,
            .loadControl, .loadEnvironment, .restore, .nothing:
            true
        default: false
        }
    }

    /// Whether it is executed even though an exception is pending.
    var doesNotWait: Bool {
        switch self {
        case .loadControl, .loadEnvironment, .restore, .nothing: false
        default: isControl
        }
    }

    /// Arithmetic by the low three bits: ST(0) first.
    func computed(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        switch rawValue & 7 {
        case 0: .add(x, y, &environment)
        case 1: .multiply(x, y, &environment)
        case 4: .subtract(x, y, &environment)
        case 5: .subtract(y, x, &environment)
        case 6: .divide(x, y, &environment)
        default: .divide(y, x, &environment)
        }
    }

    /// Arithmetic into ST(i), which comes first.
    func computedInto(_ x: Extended80, _ y: Extended80, _ environment: inout X87Environment) -> Extended80 {
        switch self {
        case .addTo, .addToPop: .add(x, y, &environment)
        case .multiplyTo, .multiplyToPop: .multiply(x, y, &environment)
        case .subtractTo, .subtractToPop: .subtract(x, y, &environment)
        case .subtractReversedTo, .subtractReversedToPop: .subtract(y, x, &environment)
        case .divideTo, .divideToPop: .divide(x, y, &environment)
        default: .divide(y, x, &environment)
        }
    }
}
