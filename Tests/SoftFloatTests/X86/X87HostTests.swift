// SPDX-License-Identifier: Apache-2.0
import RISCVOracle
import SoftFloat
import Testing
import X86Oracle

/// x87 against the host's own instructions: results, exceptions and condition codes with every control word, unmasked
/// exceptions too. `APUS_CONFORMANCE=1` compares fifty times as many operands, `APUS_SEED` draws others.
@Suite struct X87HostTests {
    static let scale = isConformanceRun ? 50 : 1

    @Test(
        "results, exceptions and condition codes are the host's, exceptions masked",
        .enabled(if: x86_oracle_is_available() != 0, "the host is no x86-64 processor"),
        arguments: X87Instruction.exact)
    func masked(instruction: X87Instruction) {
        let wrong = Self.differences(instruction, count: 20_000 * Self.scale, unmasking: false)
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(12).joined(separator: "\n"))")
    }

    @Test(
        "results, exceptions and condition codes are the host's, exceptions unmasked",
        .enabled(if: x86_oracle_is_available() != 0, "the host is no x86-64 processor"),
        arguments: X87Instruction.exact)
    func unmasked(instruction: X87Instruction) {
        let wrong = Self.differences(instruction, count: 20_000 * Self.scale, unmasking: true)
        #expect(wrong.isEmpty, "seed \(ConformanceTests.seed): \(wrong.prefix(12).joined(separator: "\n"))")
    }

    /// A line for each operand on which SoftFloat and the host differ.
    static func differences(_ instruction: X87Instruction, count: Int, unmasking: Bool) -> [String] {
        var generator = ExtendedGenerator(seed: ConformanceTests.seed)
        return (0..<count).compactMap { _ in
            let a = instruction.operation == X86_FBLD ? generator.operand().decimal : generator.operand()
            let b = generator.operand(near: a)
            let control = generator.control(unmasking: unmasking)
            let host = x86_oracle_x87(instruction.operation.rawValue, control, a.oracle, b.oracle)
            var environment = X87Environment(control: control)
            var soft = instruction.evaluate(a, b, &environment)
            soft.status &= instruction.mask
            let expected = X87Outcome(
                status: host.status & instruction.mask, top: soft.top.map { _ in Extended80(host.top) },
                next: soft.next.map { _ in Extended80(host.next) },
                stored: soft.stored.map { _ in Extended80(host.stored) })
            if soft == expected { return nil }
            return
                "\(instruction.testDescription) \(a.text) \(b.text) control \(String(control, radix: 16)): \(soft), host \(expected)"
        }
    }
}

extension Extended80 {
    init(_ value: x86_extended) { self.init(significand: value.significand, signExponent: value.sign_exponent) }

    var oracle: x86_extended { x86_extended(significand: significand, sign_exponent: signExponent) }

    /// The same bits with digits of at most nine, as a packed decimal has them.
    var decimal: Extended80 {
        func digits<Bits: FixedWidthInteger & UnsignedInteger>(_ bits: Bits) -> Bits {
            let eights = bits & (Bits.max / 15 * 8)
            return bits & ~(eights >> 1 | eights >> 2)
        }
        return Extended80(significand: digits(significand), signExponent: digits(signExponent))
    }

    var text: String { "\(String(signExponent, radix: 16)):\(String(significand, radix: 16))" }
}

/// Draws operands of the extended format, invalid encodings among them, and control words.
struct ExtendedGenerator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// A control word; all masks set unless `unmasking`.
    mutating func control(unmasking: Bool) -> UInt16 {
        UInt16(truncatingIfNeeded: random.next()) & 0x0f3f | (unmasking ? 0x40 : 0x7f)
    }

    /// Any bits, special values, extremes, and numbers of ordinary size; sometimes near `relative`.
    mutating func operand(near relative: Extended80? = nil) -> Extended80 {
        let sign = UInt16(random.below(2)) << 15
        let integer: UInt64 = random.below(12) == 0 ? 0 : 1 << 63
        switch random.below(relative == nil ? 7 : 10) {
        case 0: return Extended80(significand: random.next(), signExponent: UInt16(truncatingIfNeeded: random.next()))
        case 1: return special(sign)
        case 2:
            let exponent = [0, 0x3fff - 16382 / 2, 0x3fff, 0x7f00][random.below(4)] + random.below(256)
            return Extended80(significand: digits() | integer, signExponent: UInt16(min(exponent, 0x7fff)) | sign)
        case 3, 4:
            return Extended80(
                significand: digits() | integer, signExponent: UInt16(0x3fff - 2 + random.below(70)) | sign)
        case 5:
            return Extended80(
                significand: digits() | 1 << 63, signExponent: UInt16(0x3fff - 70 + random.below(140)) | sign)
        case 6: return edge(sign)
        default:
            guard let relative else { return .one }
            let step = UInt64(bitPattern: Int64(random.below(9) - 4)) << UInt64(random.below(64))
            let exponent = Int(relative.signExponent & 0x7fff) + random.below(3) - 1
            return Extended80(
                significand: (relative.significand &+ step) | (relative.significand & 1 << 63),
                signExponent: UInt16(max(0, min(exponent, 0x7fff))) | sign)
        }
    }

    /// Near the bounds of the narrower formats and of integers.
    private mutating func edge(_ sign: UInt16) -> Extended80 {
        let exponents = [0x3f81, 0x407e, 0x3c01, 0x43fe, 0x3fff + 15, 0x3fff + 31, 0x3fff + 63, 0x3fff + 59]
        let exponent =
            exponents[random.below(exponents.count)] + random.below(5) - 2 - random.below(2) * random.below(60)
        return Extended80(significand: digits() | 1 << 63, signExponent: UInt16(exponent) | sign)
    }

    private mutating func special(_ sign: UInt16) -> Extended80 {
        let values: [(UInt64, UInt16)] = [
            (0, 0), (1, 0), (1 << 63, 0), (1 << 62, 0), (.max >> 1, 0), (.max, 0), (1 << 63, 1), (.max, 0x7ffe),
            (1 << 63, 0x7ffe), (1 << 63, 0x3fff), (.max, 0x3ffe), (1 << 63 | 1, 0x3fff), (1 << 63, 0x7fff), (0, 0x7fff),
            (3 << 62, 0x7fff), (1 << 63 | 1, 0x7fff), (.max, 0x7fff), (3 << 62 - 1, 0x7fff), (1 << 62, 0x7fff),
            (1 << 62, 0x3fff), (1 << 63, 0x4000), (3 << 62, 0x3fff),
        ]
        let (significand, exponent) = values[random.below(values.count)]
        return Extended80(significand: significand, signExponent: exponent | sign)
    }

    /// Digits with few ones, few zeros or one long run: the shapes whose rounding goes wrong first.
    private mutating func digits() -> UInt64 {
        switch random.below(6) {
        case 0: 0
        case 1: 1 << UInt64(random.below(64)) | 1 << UInt64(random.below(64))
        case 2: ~(1 << UInt64(random.below(64)))
        case 3: UInt64.max << UInt64(random.below(64))
        case 4: UInt64.max >> UInt64(random.below(64))
        default: random.next()
        }
    }
}
