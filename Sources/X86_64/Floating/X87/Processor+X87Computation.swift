// SPDX-License-Identifier: Apache-2.0

import SoftFloat

extension Processor {
    /// x87 instructions on the top of the stack alone: comparisons, constants, functions.
    func executeX87Computation(_ op: MicroOp, _ operation: X87Operation) {
        var environment = X87Environment(control: state.pointee.x87Control)
        switch operation {
        case .changeSign, .absolute:
            guard !isX87Empty(0) else { return underflowTop() }
            state.pointee.x87Status &= ~X87Status.c1
            setX87(0, operation == .changeSign ? x87(0).negated : x87(0).magnitude)
        case .test: compare(.zero(), empty: false, signalsQuiet: true, pops: 0)
        case .compareQuiet, .compareQuietPop, .compareQuietPopTwice, .comparePopTwice:
            let index = operation == .compareQuietPopTwice || operation == .comparePopTwice ? 1 : op.b & 7
            let pops = operation == .compareQuiet ? 0 : operation == .compareQuietPop ? 1 : 2
            compare(
                x87(index), empty: isX87Empty(index), signalsQuiet: operation == .comparePopTwice, pops: pops)
        case .compareFlags, .compareFlagsPop, .compareQuietFlags, .compareQuietFlagsPop:
            compareFlags(op.b & 7, operation)
        case .examine:
            let value = x87(0)
            let sign = value.isNegative ? X87Status.c1 : 0
            setConditions(sign | (isX87Empty(0) ? X87Status.c0 | X87Status.c3 : value.examination))
        case .loadOne: pushConstant(.one)
        case .loadZero: pushConstant(.zero())
        case .loadLog2Of10: pushConstant(constant(0xd49a_784b_cd1b_8afe, 0x4000, isBelow: true))
        case .loadLog2OfE: pushConstant(constant(0xb8aa_3b29_5c17_f0bc, 0x3fff, isBelow: false))
        case .loadPi: pushConstant(constant(0xc90f_daa2_2168_c235, 0x4000, isBelow: false))
        case .loadLog10Of2: pushConstant(constant(0x9a20_9a84_fbcf_f799, 0x3ffd, isBelow: false))
        case .loadLogOf2: pushConstant(constant(0xb172_17f7_d1cf_79ac, 0x3ffe, isBelow: false))
        case .squareRoot:
            replaceTop {
                Extended80.squareRoot($0, &environment)
            } finishing: {
                environment
            }
        case .round:
            replaceTop {
                $0.roundedToIntegral(&environment)
            } finishing: {
                environment
            }
        case .powerMinusOne:
            replaceTop {
                Extended80.powerMinusOne($0, &environment)
            } finishing: {
                environment
            }
        case .scale:
            guard !isX87Empty(0) && !isX87Empty(1) else { return underflowTop() }
            let result = Extended80.scale(x87(0), x87(1), &environment)
            if note(environment) { setX87(0, result) }
        case .remainder, .remainderNearest: takeRemainder(toNearest: operation == .remainderNearest)
        case .extract: extract()
        case .logarithm:
            combine {
                Extended80.logarithm($0, times: $1, &environment)
            } finishing: {
                environment
            }
        case .logarithmPlusOne:
            combine {
                Extended80.logarithmPlusOne($0, times: $1, &environment)
            } finishing: {
                environment
            }
        case .arctangent:
            combine {
                Extended80.arctangent($1, over: $0, &environment)
            } finishing: {
                environment
            }
        case .sine, .cosine, .tangent, .sineCosine: trigonometry(operation)
        // Everything else was dispatched before.
        default: break
        }
    }

    /// The top of the stack is empty where an instruction would replace it.
    private func underflowTop() {
        if stackFault() { setX87(0, .indefinite) }
    }

    private func replaceTop(_ body: (Extended80) -> Extended80, finishing: () -> X87Environment) {
        guard !isX87Empty(0) else { return underflowTop() }
        let result = body(x87(0))
        if note(finishing()) { setX87(0, result) }
    }

    /// FYL2X and its kin: ST(1) becomes a function of both, and ST(0) is popped.
    private func combine(_ body: (Extended80, Extended80) -> Extended80, finishing: () -> X87Environment) {
        guard !isX87Empty(0) && !isX87Empty(1) else {
            guard stackFault() else { return }
            setX87(1, .indefinite)
            return popX87()
        }
        let result = body(x87(0), x87(1))
        guard note(finishing()) else { return }
        setX87(1, result)
        popX87()
    }

    private func compare(_ other: Extended80, empty: Bool, signalsQuiet: Bool, pops: Int) {
        var environment = X87Environment(control: state.pointee.x87Control)
        var goesOn: Bool
        if empty || isX87Empty(0) {
            goesOn = stackFault()
            setConditions(FloatRelation.unordered.conditions)
        } else {
            let relation = Extended80.relation(x87(0), other, signalsQuiet: signalsQuiet, &environment)
            setConditions(relation.conditions)
            goesOn = note(environment)
        }
        if goesOn { for _ in 0..<pops { popX87() } }
    }

    /// FCOMI and its kin.
    private func compareFlags(_ index: UInt8, _ operation: X87Operation) {
        var environment = X87Environment(control: state.pointee.x87Control)
        let signals = operation == .compareFlags || operation == .compareFlagsPop
        var goesOn: Bool
        var relation = FloatRelation.unordered
        if isX87Empty(0) || isX87Empty(index) {
            goesOn = stackFault()
        } else {
            relation = Extended80.relation(x87(0), x87(index), signalsQuiet: signals, &environment)
            goesOn = note(environment)
        }
        // An unmasked exception leaves the flags alone.
        guard goesOn else { return }
        state.pointee.lazyFlags = LazyFlags(relation.flags)
        if operation == .compareFlagsPop || operation == .compareQuietFlagsPop { popX87() }
    }

    private func pushConstant(_ value: Extended80) {
        guard !isX87Full else {
            if stackFault(overflow: true) { pushX87(.indefinite) }
            return
        }
        state.pointee.x87Status &= ~X87Status.c1
        pushX87(value)
    }

    /// A constant rounded as the control word says: it is given rounded to nearest, below or above its true value.
    private func constant(_ nearest: UInt64, _ exponent: UInt16, isBelow: Bool) -> Extended80 {
        let rounding = Rounding(x86: UInt32(state.pointee.x87Control >> 10))
        let significand: UInt64 =
            switch rounding {
            case .down, .towardZero: isBelow ? nearest : nearest &- 1
            case .up: isBelow ? nearest &+ 1 : nearest
            default: nearest
            }
        return Extended80(significand: significand, signExponent: exponent)
    }

    /// FPREM and FPREM1: the quotient's bits 2, 1 and 0 go to C0, C3 and C1.
    private func takeRemainder(toNearest: Bool) {
        state.pointee.x87Status &= ~X87Status.c2
        guard !isX87Empty(0) && !isX87Empty(1) else { return underflowTop() }
        var environment = X87Environment(control: state.pointee.x87Control)
        let partial = Extended80.partialRemainder(x87(0), x87(1), toNearest: toNearest, &environment)
        environment.roundedUp = false
        guard note(environment) else { return }
        // Without a quotient the other condition codes stay.
        guard !environment.flags.contains(.invalid) else { return setX87(0, partial.remainder) }
        let quotient = partial.quotient
        setConditions(
            (partial.isIncomplete ? X87Status.c2 : 0) | (quotient & 4 != 0 ? X87Status.c0 : 0)
                | (quotient & 2 != 0 ? X87Status.c3 : 0) | (quotient & 1 != 0 ? X87Status.c1 : 0))
        setX87(0, partial.remainder)
    }

    /// FXTRACT: the exponent takes the number's place, and the significand is pushed.
    private func extract() {
        guard !isX87Empty(0) else {
            if stackFault() {
                setX87(0, .indefinite)
                pushX87(.indefinite)
            }
            return
        }
        guard !isX87Full else {
            if stackFault(overflow: true) {
                setX87(0, .indefinite)
                pushX87(.indefinite)
            }
            return
        }
        var environment = X87Environment(control: state.pointee.x87Control)
        let parts = x87(0).extracted(&environment)
        guard note(environment) else { return }
        setX87(0, parts.exponent)
        pushX87(parts.significand)
    }

    /// FSIN, FCOS, FPTAN and FSINCOS; C2 says that the operand is too large, and nothing else happens.
    private func trigonometry(_ operation: X87Operation) {
        let pushes = operation == .tangent || operation == .sineCosine
        if isX87Empty(0) || pushes && isX87Full {
            guard stackFault(overflow: !isX87Empty(0)) else { return }
            setX87(0, .indefinite)
            if pushes { pushX87(.indefinite) }
            return
        }
        var environment = X87Environment(control: state.pointee.x87Control)
        let value = x87(0)
        guard !value.isBeyondTrigonometry else {
            state.pointee.x87Status = state.pointee.x87Status & ~X87Status.c1 | X87Status.c2
            return
        }
        let result: Extended80
        var pushed = Extended80.one
        switch operation {
        case .sine: result = Extended80.sine(value, &environment)
        case .cosine: result = Extended80.cosine(value, &environment)
        case .tangent:
            result = Extended80.tangent(value, &environment)
            // A NaN is pushed as well as left.
            if result.isNaN { pushed = result }
        default:
            result = Extended80.sine(value, &environment)
            pushed = Extended80.cosine(value, &environment)
        }
        state.pointee.x87Status &= ~X87Status.c2
        guard note(environment) else { return }
        setX87(0, result)
        if pushes { pushX87(pushed) }
    }
}
