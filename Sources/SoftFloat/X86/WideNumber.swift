// SPDX-License-Identifier: Apache-2.0

/// A number with 128 bits of significand, truncated where that does not suffice: what the transcendental functions
/// compute in, 64 bits beyond the results that they round to.
struct WideNumber: Equatable {
    var isNegative: Bool
    /// The weight of the significand's top bit, which is set unless the number is zero.
    var exponent: Int
    var significand: UInt128

    init(isNegative: Bool = false, exponent: Int, significand: UInt128) {
        self.isNegative = isNegative
        self.exponent = exponent
        self.significand = significand
    }

    /// A constant by its two halves.
    init(exponent: Int, _ high: UInt64, _ low: UInt64) {
        self.init(exponent: exponent, significand: UInt128(high) << 64 | UInt128(low))
    }

    /// A finite number.
    init(_ value: Extended80) {
        let (exponent, significand) = value.normalized
        self.init(
            isNegative: value.isNegative, exponent: value.isZero ? 0 : exponent - Extended80.bias,
            significand: value.isZero ? 0 : UInt128(significand) << 64)
    }

    /// An integer.
    init(_ value: Int) {
        let magnitude = UInt128(value.magnitude)
        let shift = magnitude.leadingZeroBitCount
        self.init(
            isNegative: value < 0, exponent: value == 0 ? 0 : 127 - shift,
            significand: value == 0 ? 0 : magnitude << UInt128(shift))
    }

    static var one: WideNumber { WideNumber(exponent: 0, significand: 1 << 127) }
    var isZero: Bool { significand == 0 }
    var magnitude: WideNumber { WideNumber(exponent: exponent, significand: significand) }

    static prefix func - (x: WideNumber) -> WideNumber {
        WideNumber(isNegative: !x.isNegative, exponent: x.exponent, significand: x.significand)
    }

    /// Whether the magnitude of `x` is less than that of `y`.
    static func isSmaller(_ x: WideNumber, _ y: WideNumber) -> Bool {
        if x.isZero || y.isZero { return !y.isZero }
        return (x.exponent, x.significand) < (y.exponent, y.significand)
    }

    static func + (x: WideNumber, y: WideNumber) -> WideNumber {
        if x.isZero { return y }
        if y.isZero { return x }
        let (large, small) = isSmaller(x, y) ? (y, x) : (x, y)
        let distance = large.exponent - small.exponent
        let addend = distance > 127 ? 0 : small.significand >> UInt128(distance)
        if large.isNegative == small.isNegative {
            let (sum, carries) = large.significand.addingReportingOverflow(addend)
            return WideNumber(
                isNegative: large.isNegative, exponent: large.exponent + (carries ? 1 : 0),
                significand: carries ? sum >> 1 | 1 << 127 : sum)
        }
        let difference = large.significand - addend
        if difference == 0 { return WideNumber(exponent: 0, significand: 0) }
        let shift = difference.leadingZeroBitCount
        return WideNumber(
            isNegative: large.isNegative, exponent: large.exponent - shift,
            significand: difference << UInt128(shift))
    }

    static func - (x: WideNumber, y: WideNumber) -> WideNumber { x + -y }

    static func * (x: WideNumber, y: WideNumber) -> WideNumber {
        if x.isZero || y.isZero { return WideNumber(exponent: 0, significand: 0) }
        let (high, low) = x.significand.multipliedFullWidth(by: y.significand)
        let carries = high >> 127 != 0
        return WideNumber(
            isNegative: x.isNegative != y.isNegative, exponent: x.exponent + y.exponent + (carries ? 1 : 0),
            significand: carries ? high : high << 1 | low >> 127)
    }

    static func / (x: WideNumber, y: WideNumber) -> WideNumber {
        if x.isZero { return x }
        // Half of x over y is below one.
        let digits = y.significand.dividingFullWidth((x.significand >> 1, x.significand << 127)).quotient
        let shift = digits.leadingZeroBitCount
        return WideNumber(
            isNegative: x.isNegative != y.isNegative, exponent: x.exponent - y.exponent - shift,
            significand: digits << UInt128(shift))
    }

    /// x divided by a small positive number.
    static func / (x: WideNumber, divisor: Int) -> WideNumber { x / WideNumber(divisor) }

    /// 1 + t(f1 + t(f2 + ...)), by Horner's rule: `factor` gives what each step divides `t` by, from `terms` down to 1.
    static func series(_ t: WideNumber, terms: Int, divisor: (Int) -> Int) -> WideNumber {
        var sum = one
        for index in stride(from: terms, through: 1, by: -1) { sum = one + t * sum / divisor(index) }
        return sum
    }

    /// Rounded to the full precision of the extended format. A number that was truncated is never exact.
    func rounded(_ environment: inout X87Environment) -> Extended80 {
        environment.round(
            negative: isNegative, exponent: exponent + Extended80.bias,
            significand: UInt64(truncatingIfNeeded: significand >> 64),
            tail: UInt64(truncatingIfNeeded: significand) | 1, precision: 64)
    }
}

extension WideNumber {
    static var logOf2: WideNumber { WideNumber(exponent: -1, 0xb172_17f7_d1cf_79ab, 0xc9e3_b398_03f2_f6af) }
    static var twoOverLogOf2: WideNumber { WideNumber(exponent: 1, 0xb8aa_3b29_5c17_f0bb, 0xbe87_fed0_691d_3e89) }
    static var pi: WideNumber { WideNumber(exponent: 1, 0xc90f_daa2_2168_c234, 0xc4c6_628b_80dc_1cd1) }
    static var halfPi: WideNumber { WideNumber(exponent: 0, 0xc90f_daa2_2168_c234, 0xc4c6_628b_80dc_1cd1) }
    static var quarterPi: WideNumber { WideNumber(exponent: -1, 0xc90f_daa2_2168_c234, 0xc4c6_628b_80dc_1cd1) }
    static var threeQuartersPi: WideNumber {
        WideNumber(exponent: 1, 0x96cb_e3f9_990e_91a7, 0x9394_c9e8_a0a5_159d)
    }

    /// The arctangent of `eighths` / 8, 1 to 8.
    static func arctangent(eighths: Int) -> WideNumber {
        switch eighths {
        case 1: WideNumber(exponent: -4, 0xfead_d4d5_617b_6e32, 0xc897_989f_3e88_8ef8)
        case 2: WideNumber(exponent: -3, 0xfadb_afc9_6406_eb15, 0x6dc7_9ef5_f7a2_17e6)
        case 3: WideNumber(exponent: -2, 0xb7b0_ca0f_26f7_8473, 0x8aa3_2122_dcfe_4483)
        case 4: WideNumber(exponent: -2, 0xed63_382b_0dda_7b45, 0x6fe4_45ec_bc3a_8d03)
        case 5: WideNumber(exponent: -1, 0x8f00_5d5e_f7f5_9f9b, 0x5c83_5e16_65c4_3748)
        case 6: WideNumber(exponent: -1, 0xa4bc_7d19_34f7_0924, 0x19a8_7f2a_457d_ac9f)
        case 7: WideNumber(exponent: -1, 0xb805_3e2b_c231_9e73, 0xcb2d_a552_10a4_443d)
        default: quarterPi
        }
    }
}
