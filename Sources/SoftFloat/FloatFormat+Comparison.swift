// SPDX-License-Identifier: Apache-2.0

extension FloatFormat {
    /// Whether `x` equals `y`: false with a NaN, which raises `invalid` only if it is signaling (IEEE 754 §5.11).
    @inlinable
    public static func equal<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Bool {
        if x.isNaN || y.isNaN {
            if x.isSignalingNaN || y.isSignalingNaN { environment.flags.insert(.invalid) }
            return false
        }
        return x.pattern == y.pattern || (x.magnitude | y.magnitude) == 0
    }

    /// Whether `x` is less than `y`: false with a NaN, which raises `invalid` (IEEE 754 §5.11).
    @inlinable
    public static func less<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Bool {
        if x.isNaN || y.isNaN {
            environment.flags.insert(.invalid)
            return false
        }
        return precedes(x, y) && (x.magnitude | y.magnitude) != 0
    }

    /// Whether `x` is less than or equal to `y`: false with a NaN, which raises `invalid` (IEEE 754 §5.11).
    @inlinable
    public static func lessOrEqual<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Bool {
        if x.isNaN || y.isNaN {
            environment.flags.insert(.invalid)
            return false
        }
        return !precedes(y, x) || (x.magnitude | y.magnitude) == 0
    }

    /// The smaller operand, -0 being smaller than +0; a number where the other is a NaN
    /// (IEEE 754-2019 §9.6 minimumNumber, RISC-V Unpriv, F 2.2 §20.6).
    @inlinable
    public static func minimum<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        if x.isNaN || y.isNaN { return number(x, y, &environment) }
        return precedes(x, y) ? x : y
    }

    /// The larger operand, +0 being larger than -0; a number where the other is a NaN
    /// (IEEE 754-2019 §9.6 maximumNumber, RISC-V Unpriv, F 2.2 §20.6).
    @inlinable
    public static func maximum<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        if x.isNaN || y.isNaN { return number(x, y, &environment) }
        return precedes(x, y) ? y : x
    }

    /// The operand that is a number; raises `invalid` for a signaling NaN even then.
    @inlinable
    static func number<Rules>(_ x: Self, _ y: Self, _ environment: inout FloatEnvironment<Rules>) -> Self {
        let nan = environment.nan(x, y)
        return x.isNaN ? (y.isNaN ? nan : y) : x
    }

    /// Whether `x` comes before `y` in the order of numbers in which -0 comes before +0.
    @inlinable @inline(__always)
    static func precedes(_ x: Self, _ y: Self) -> Bool {
        if x.sign != y.sign { return x.isNegative }
        return x.isNegative ? x.magnitude > y.magnitude : x.magnitude < y.magnitude
    }
}
