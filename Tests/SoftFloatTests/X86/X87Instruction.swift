// SPDX-License-Identifier: Apache-2.0
import SoftFloat
import Testing
import X86Oracle

/// What an x87 instruction leaves behind, as far as it says: nil where the outcome is not compared.
struct X87Outcome: Equatable, CustomStringConvertible {
    /// Exceptions, C0 to C3: the status word under a mask.
    var status: UInt16
    var top: Extended80?
    var next: Extended80?
    /// The stored bytes.
    var stored: Extended80?

    var description: String {
        "status \(String(status, radix: 16)) "
            + [top, next, stored].map {
                $0.map { "\(String($0.signExponent, radix: 16)):\(String($0.significand, radix: 16))" } ?? "-"
            }
            .joined(separator: " ")
    }
}

/// An x87 instruction of the host, with what SoftFloat makes of it.
struct X87Instruction: Sendable, CustomTestStringConvertible {
    typealias Evaluation = @Sendable (Extended80, Extended80, inout X87Environment) -> X87Outcome

    var testDescription: String
    var operation: x86_x87_operation
    /// Bits of the status word that count: all exceptions and condition codes, but those the manual leaves undefined.
    var mask: UInt16
    var evaluate: Evaluation

    init(_ name: String, _ operation: x86_x87_operation, mask: UInt16 = 0x023f, _ evaluate: @escaping Evaluation) {
        testDescription = name
        self.operation = operation
        self.mask = mask
        self.evaluate = evaluate
    }

    private static let c0: UInt16 = 0x100
    private static let c1: UInt16 = 0x200
    private static let c2: UInt16 = 0x400
    private static let c3: UInt16 = 0x4000

    /// Those whose results are exact or correctly rounded.
    static let exact: [X87Instruction] = computations + comparisons + stores + loads

    private static let computations: [X87Instruction] = [
        result("fadd", X86_FADD) { .add($0, $1, &$2) },
        result("fsub", X86_FSUB) { .subtract($0, $1, &$2) },
        result("fmul", X86_FMUL) { .multiply($0, $1, &$2) },
        result("fdiv", X86_FDIV) { .divide($0, $1, &$2) },
        result("fsqrt", X86_FSQRT) { x, _, e in .squareRoot(x, &e) },
        result("frndint", X86_FRNDINT) { x, _, e in x.roundedToIntegral(&e) },
        result("fscale", X86_FSCALE) { .scale($0, $1, &$2) },
        remainder("fprem", X86_FPREM, toNearest: false),
        remainder("fprem1", X86_FPREM1, toNearest: true),
        X87Instruction("fxtract", X86_FXTRACT) { x, y, e in
            let parts = x.extracted(&e)
            return e.isPrevented
                ? X87Outcome(status: status(e), top: x, next: y)
                : X87Outcome(status: status(e), top: parts.significand, next: parts.exponent)
        },
    ]

    private static let comparisons: [X87Instruction] = [
        X87Instruction("fcom", X86_FCOM, mask: 0x473f) { x, y, e in
            let relation = Extended80.relation(x, y, signalsQuiet: true, &e)
            return X87Outcome(status: status(e) | codes(relation), top: x, next: y)
        },
        X87Instruction("fucom", X86_FUCOM, mask: 0x473f) { x, y, e in
            let relation = Extended80.relation(x, y, signalsQuiet: false, &e)
            return X87Outcome(status: status(e) | codes(relation), top: x, next: y)
        },
        X87Instruction("fxam", X86_FXAM, mask: 0x473f) { x, y, e in
            X87Outcome(status: x.examination | (x.isNegative ? c1 : 0), top: x, next: y)
        },
    ]

    private static let stores: [X87Instruction] = [
        store("fst m32", X86_FSTS, stores: [.overflow, .underflow]) { UInt64($0.toSingle(&$1)) },
        store("fst m64", X86_FSTD, stores: [.overflow, .underflow]) { $0.toDouble(&$1) },
        store("fist m16", X86_FISTW) { UInt64(UInt16(bitPattern: $0.toInteger(Int16.self, &$1))) },
        store("fist m32", X86_FISTL) { UInt64(UInt32(bitPattern: $0.toInteger(Int32.self, &$1))) },
        store("fistp m64", X86_FISTQ, pops: true) { UInt64(bitPattern: $0.toInteger(Int64.self, &$1)) },
        store("fisttp m16", X86_FISTTW, pops: true) {
            UInt64(UInt16(bitPattern: $0.toInteger(Int16.self, truncating: true, &$1)))
        },
        store("fisttp m32", X86_FISTTL, pops: true) {
            UInt64(UInt32(bitPattern: $0.toInteger(Int32.self, truncating: true, &$1)))
        },
        store("fisttp m64", X86_FISTTQ, pops: true) {
            UInt64(bitPattern: $0.toInteger(Int64.self, truncating: true, &$1))
        },
        X87Instruction("fbstp", X86_FBSTP) { x, y, e in
            let digits = x.toDecimal(&e)
            return e.isPrevented
                ? X87Outcome(status: status(e), top: x, next: y, stored: .zero())
                : X87Outcome(
                    status: status(e), top: y,
                    stored: Extended80(significand: digits.low, signExponent: digits.high))
        },
    ]

    private static let loads: [X87Instruction] = [
        load("fld m32", X86_FLDS) { Extended80(loading: Binary32(pattern: $0.significand), &$1) },
        load("fld m64", X86_FLDD) { Extended80(loading: Binary64(pattern: $0.significand), &$1) },
        load("fbld", X86_FBLD) { x, _ in Extended80(decimal: x.significand, x.signExponent) },
    ]

    /// What the instruction adds to the status word.
    static func status(_ environment: X87Environment) -> UInt16 {
        UInt16(environment.flags.rawValue) | (environment.roundedUp ? c1 : 0)
    }

    private static func codes(_ relation: FloatRelation) -> UInt16 {
        switch relation {
        case .less: c0
        case .equal: c3
        case .greater: 0
        case .unordered: c0 | c2 | c3
        }
    }

    /// One that replaces st(0).
    static func result(
        _ name: String, _ operation: x86_x87_operation,
        _ evaluate: @escaping @Sendable (Extended80, Extended80, inout X87Environment) -> Extended80
    ) -> X87Instruction {
        X87Instruction(name, operation) { x, y, e in
            let result = evaluate(x, y, &e)
            return X87Outcome(status: status(e), top: e.isPrevented ? x : result, next: y)
        }
    }

    private static func remainder(_ name: String, _ operation: x86_x87_operation, toNearest: Bool) -> X87Instruction {
        X87Instruction(name, operation, mask: 0x473f) { x, y, e in
            let partial = Extended80.partialRemainder(x, y, toNearest: toNearest, &e)
            // C0, C3 and C1 are bits 2, 1 and 0 of the quotient.
            let quotient = partial.quotient
            let codes =
                (quotient & 4 != 0 ? c0 : 0) | (quotient & 2 != 0 ? c3 : 0) | (quotient & 1 != 0 ? c1 : 0)
                | (partial.isIncomplete ? c2 : 0)
            return X87Outcome(
                status: UInt16(e.flags.rawValue) | codes, top: e.isPrevented ? x : partial.remainder, next: y)
        }
    }

    private static func store(
        _ name: String, _ operation: x86_x87_operation, pops: Bool = false, stores: X86FloatFlags = [],
        _ evaluate: @escaping @Sendable (Extended80, inout X87Environment) -> UInt64
    ) -> X87Instruction {
        X87Instruction(name, operation) { x, y, e in
            let bits = evaluate(x, &e)
            let prevented = e.isPrevented || !e.unmasked.isDisjoint(with: stores)
            let stored = Extended80(significand: prevented ? 0 : bits, signExponent: 0)
            return X87Outcome(status: status(e), top: pops && !prevented ? y : x, stored: stored)
        }
    }

    private static func load(
        _ name: String, _ operation: x86_x87_operation,
        _ evaluate: @escaping @Sendable (Extended80, inout X87Environment) -> Extended80
    ) -> X87Instruction {
        X87Instruction(name, operation) { x, _, e in
            let value = evaluate(x, &e)
            return X87Outcome(status: status(e), top: e.isPrevented ? nil : value)
        }
    }
}
