// SPDX-License-Identifier: Apache-2.0

// One element of ADDPS and its kin. The first operand is the destination's, or the first source of a VEX encoding.
extension SSEEnvironment {
    /// ADDSS: `x + y`.
    @inlinable
    public mutating func add<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        binary(x, y) { .add($0, $1, &$2) }
    }

    /// SUBSS: `x - y`.
    @inlinable
    public mutating func subtract<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        binary(x, y) { .subtract($0, $1, &$2) }
    }

    /// MULSS: `x * y`.
    @inlinable
    public mutating func multiply<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        binary(x, y) { .multiply($0, $1, &$2) }
    }

    /// DIVSS: `x / y`.
    @inlinable
    public mutating func divide<Format: FloatFormat>(_ x: Format, _ y: Format) -> Format {
        binary(x, y) { .divide($0, $1, &$2) }
    }

    /// SQRTSS.
    @inlinable
    public mutating func squareRoot<Format: FloatFormat>(_ x: Format) -> Format {
        let x = operand(x)
        let result = Format.squareRoot(x, &arithmetic)
        finish(sawSubnormal: x.isSubnormal, sawNaN: x.isNaN)
        return result
    }

    /// VFMADD: `x * y + z`, rounded once; the other forms negate operands, whose NaNs keep their signs.
    @inlinable
    public mutating func multiplyAdd<Format: InterchangeFormat>(
        _ x: Format, _ y: Format, _ z: Format, negatesProduct: Bool = false, negatesAddend: Bool = false
    ) -> Format {
        let (x, y, z) = (operand(x), operand(y), operand(z))
        let sawNaN = x.isNaN || y.isNaN || z.isNaN
        let result = Format.multiplyAdd(
            negatesProduct && !sawNaN ? x.negated : x, y, negatesAddend && !sawNaN ? z.negated : z, &arithmetic)
        finish(sawSubnormal: x.isSubnormal || y.isSubnormal || z.isSubnormal, sawNaN: sawNaN)
        return result
    }

    @inlinable @inline(__always)
    mutating func binary<Format: FloatFormat>(
        _ x: Format, _ y: Format, _ operation: (Format, Format, inout FloatEnvironment<SSEFloatRules>) -> Format
    ) -> Format {
        let (x, y) = (operand(x), operand(y))
        let result = operation(x, y, &arithmetic)
        finish(sawSubnormal: x.isSubnormal || y.isSubnormal, sawNaN: x.isNaN || y.isNaN)
        return result
    }
}
