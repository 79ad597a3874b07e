// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// x87 instructions other than arithmetic with two operands; false: memory faulted.
    @inline(never)
    func executeX87Rest(_ op: MicroOp, _ operation: X87Operation) -> Bool {
        var environment = X87Environment(control: state.pointee.x87Control)
        switch operation {
        case .loadSingle:
            guard let bits = loadOperand(op, UInt32.self) else { return false }
            return push(Extended80(loading: Binary32(bits: bits), &environment), environment)
        case .loadDouble:
            guard let bits = loadOperand(op, UInt64.self) else { return false }
            return push(Extended80(loading: Binary64(bits: bits), &environment), environment)
        case .loadShort:
            guard let bits = loadOperand(op, UInt16.self) else { return false }
            return push(Extended80(integer: Int64(Int16(bitPattern: bits))), environment)
        case .loadLong:
            guard let bits = loadOperand(op, UInt32.self) else { return false }
            return push(Extended80(integer: Int64(Int32(bitPattern: bits))), environment)
        case .loadQuad:
            guard let bits = loadOperand(op, UInt64.self) else { return false }
            return push(Extended80(integer: Int64(bitPattern: bits)), environment)
        case .loadExtended, .loadDecimal:
            guard let value = loadTenBytes(op) else { return false }
            return push(
                operation == .loadExtended ? value : Extended80(decimal: value.significand, value.signExponent),
                environment)
        case .load:
            // The register is looked at before TOP moves.
            if isX87Empty(op.b & 7) {
                if stackFault() { pushX87(.indefinite) }
                return true
            }
            return push(x87(op.b & 7), environment)
        case .storeSingle, .storeSinglePop:
            let value = x87(0).toSingle(&environment)
            return store(
                op, UInt64(value), empty: 0xffc0_0000, bytes: 4, pops: operation == .storeSinglePop, environment)
        case .storeDouble, .storeDoublePop:
            let value = x87(0).toDouble(&environment)
            return store(
                op, value, empty: 0xfff8 << 48, bytes: 8, pops: operation == .storeDoublePop, environment)
        case .storeShort, .storeShortPop, .truncateShort:
            let value = x87(0).toInteger(Int16.self, truncating: operation == .truncateShort, &environment)
            return store(
                op, UInt64(UInt16(bitPattern: value)), empty: 0x8000, bytes: 2, pops: operation != .storeShort,
                environment)
        case .storeLong, .storeLongPop, .truncateLong:
            let value = x87(0).toInteger(Int32.self, truncating: operation == .truncateLong, &environment)
            return store(
                op, UInt64(UInt32(bitPattern: value)), empty: 0x8000_0000, bytes: 4, pops: operation != .storeLong,
                environment)
        case .storeQuadPop, .truncateQuad:
            let value = x87(0).toInteger(Int64.self, truncating: operation == .truncateQuad, &environment)
            return store(op, UInt64(bitPattern: value), empty: 1 << 63, bytes: 8, pops: true, environment)
        case .storeExtendedPop, .storeDecimalPop: return storeTenBytes(op, operation, environment)
        case .store, .storePop:
            guard !isX87Empty(0) else {
                if stackFault() {
                    setX87(op.b & 7, .indefinite)
                    if operation == .storePop { popX87() }
                }
                return true
            }
            note(environment)
            setX87(op.b & 7, x87(0))
            if operation == .storePop { popX87() }
        case .exchange:
            exchange(op.b & 7)
        case .free: state.pointee.x87Tags &= ~(1 << UInt16(x87Physical(op.b & 7)))
        case .freePop:
            state.pointee.x87Tags &= ~(1 << UInt16(x87Physical(op.b & 7)))
            popX87()
        case .incrementTop, .decrementTop:
            rotateX87(operation == .incrementTop ? 1 : 7)
            state.pointee.x87Status &= ~X87Status.c1
        case .moveBelow, .moveEqual, .moveNotAbove, .moveUnordered, .moveNotBelow, .moveNotEqual, .moveAbove,
            .moveOrdered:
            moveConditionally(op.b & 7, operation)
        default: executeX87Computation(op, operation)
        }
        return true
    }

    /// Pushes what was loaded, unless an exception or a full stack prevents it.
    private func push(_ value: Extended80, _ environment: X87Environment) -> Bool {
        guard !isX87Full else {
            if stackFault(overflow: true) { pushX87(.indefinite) }
            return true
        }
        // A denormal is loaded even where its exception traps; a signaling NaN is not.
        note(environment)
        if !environment.unmasked.contains(.invalid) { pushX87(value) }
        return true
    }

    /// Stores what ST(0) became, or `empty` where it is empty. An unmasked exception, of those after computation
    /// overflow and underflow too, leaves memory and the stack alone (Intel SDM Vol 1 §8.5.4, §8.5.5).
    private func store(
        _ op: MicroOp, _ value: UInt64, empty: UInt64, bytes: UInt64, pops: Bool, _ environment: X87Environment
    ) -> Bool {
        guard !isX87Empty(0) else {
            guard state.pointee.x87Control & 1 == 0 || store(LanePair(Lane(low: empty)), op, bytes: bytes) else {
                return false
            }
            if stackFault(), pops { popX87() }
            return true
        }
        let prevents = environment.isPrevented || !environment.unmasked.isDisjoint(with: [.overflow, .underflow])
        if prevents {
            // The address is looked at nonetheless.
            guard address(op, count: bytes, writes: true) != nil else { return false }
        } else {
            guard store(LanePair(Lane(low: value)), op, bytes: bytes) else { return false }
        }
        note(environment)
        if pops && !prevents { popX87() }
        return true
    }

    /// FSTP m80fp and FBSTP.
    private func storeTenBytes(_ op: MicroOp, _ operation: X87Operation, _ initial: X87Environment) -> Bool {
        var environment = initial
        var value = x87(0)
        let empty = isX87Empty(0)
        if operation == .storeDecimalPop {
            let digits = value.toDecimal(&environment)
            value = Extended80(significand: digits.low, signExponent: digits.high)
        }
        if empty {
            value =
                operation == .storeDecimalPop
                ? Extended80(significand: 0xc000_0000_0000_0000, signExponent: 0xffff) : .indefinite
        }
        let prevents = empty ? state.pointee.x87Control & 1 == 0 : environment.isPrevented
        guard let address = address(op, count: 10, writes: true) else { return false }
        if !prevents {
            let stack = op.segment.isStack
            guard isWritable(address, bytes: 10, stack: stack), store(value.significand, at: address, stack: stack),
                store(value.signExponent, at: wrapped(address &+ 8), stack: stack)
            else { return false }
        }
        if empty { _ = stackFault() } else { note(environment) }
        if !prevents { popX87() }
        return true
    }

    private func loadTenBytes(_ op: MicroOp) -> Extended80? {
        guard let address = address(op, count: 10),
            let low = load(UInt64.self, at: address, stack: op.segment.isStack),
            let high = load(UInt16.self, at: wrapped(address &+ 8), stack: op.segment.isStack)
        else { return nil }
        return Extended80(significand: low, signExponent: high)
    }

    /// FXCH: an empty register counts as the indefinite where the exception is masked.
    private func exchange(_ index: UInt8) {
        let (first, second) = (isX87Empty(0), isX87Empty(index))
        if first || second {
            guard stackFault() else { return }
        } else {
            state.pointee.x87Status &= ~X87Status.c1
        }
        let (top, other) = (first ? .indefinite : x87(0), second ? .indefinite : x87(index))
        setX87(0, other)
        setX87(index, top)
    }

    /// FCMOVB and its kin.
    private func moveConditionally(_ index: UInt8, _ operation: X87Operation) {
        let flags = state.pointee.lazyFlags
        let moves =
            switch operation {
            case .moveBelow: flags.carry
            case .moveEqual: flags.zero
            case .moveNotAbove: flags.carry || flags.zero
            case .moveUnordered: flags.parity
            case .moveNotBelow: !flags.carry
            case .moveNotEqual: !flags.zero
            case .moveAbove: !flags.carry && !flags.zero
            default: !flags.parity
            }
        guard !isX87Empty(0) && !isX87Empty(index) else {
            if stackFault() { setX87(0, .indefinite) }
            return
        }
        state.pointee.x87Status &= ~X87Status.c1
        if moves { setX87(0, x87(index)) }
    }
}
