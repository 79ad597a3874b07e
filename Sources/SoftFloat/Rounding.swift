// SPDX-License-Identifier: Apache-2.0

/// A rounding direction (IEEE 754 §4.3); the raw values are RISC-V's encodings (RISC-V Unpriv, F 2.2 §20.2).
@frozen
public enum Rounding: UInt8, Sendable, CaseIterable {
    /// RNE: to the nearest value, of two the one with an even significand.
    case nearestEven = 0
    /// RTZ: truncation.
    case towardZero = 1
    /// RDN: towards negative infinity.
    case down = 2
    /// RUP: towards positive infinity.
    case up = 3
    /// RMM: to the nearest value, of two the one with the larger magnitude.
    case nearestAway = 4
}

extension Rounding {
    /// What is added below the kept digits of a magnitude so that its carry into them is the rounding.
    ///
    /// `half` is the weight of the first discarded digit, `odd` the lowest kept digit (0 or 1).
    @inlinable @inline(__always)
    func increment<Digits: FixedWidthInteger & UnsignedInteger>(half: Digits, odd: Digits, negative: Bool) -> Digits {
        // A test for the mode that nearly all code runs in measures better than a jump table.
        if self == .nearestEven { return half &- 1 &+ odd }
        return switch self {
        case .nearestEven, .towardZero: 0
        case .down: negative ? half &- 1 &+ half : 0
        case .up: negative ? 0 : half &- 1 &+ half
        case .nearestAway: half
        }
    }

    /// Whether a magnitude too large for the format becomes infinity rather than the largest number (IEEE 754 §7.4).
    @inlinable
    func overflowsToInfinity(negative: Bool) -> Bool {
        switch self {
        case .nearestEven, .nearestAway: true
        case .towardZero: false
        case .down: negative
        case .up: !negative
        }
    }
}
