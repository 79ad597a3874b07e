// SPDX-License-Identifier: Apache-2.0

/// What the x87 room executes: the low byte of `MicroOp.detail`. Above it is ModRM.reg, which the last opcode register
/// wants to know.
enum X87Operation: UInt16 {
    // Arithmetic, in the order of ModRM.reg: with ST(i), and with memory in four forms.
    case add, multiply, compare, comparePop, subtract, subtractReversed, divide, divideReversed, addSingle
    case multiplySingle, compareSingle, comparePopSingle, subtractSingle, subtractReversedSingle, divideSingle
    case divideReversedSingle, addLong, multiplyLong, compareLong, comparePopLong, subtractLong
    case subtractReversedLong, divideLong, divideReversedLong, addDouble, multiplyDouble, compareDouble
    case comparePopDouble, subtractDouble, subtractReversedDouble, divideDouble, divideReversedDouble
    case addShort, multiplyShort, compareShort, comparePopShort, subtractShort, subtractReversedShort
    case divideShort, divideReversedShort
    // Arithmetic into ST(i).
    case addTo, multiplyTo, subtractReversedTo, subtractTo, divideReversedTo, divideTo, addToPop
    case multiplyToPop, subtractReversedToPop, subtractToPop, divideReversedToPop, divideToPop
    // The rest.
    case wait, loadSingle, storeSingle, storeSinglePop, loadEnvironment, loadControl, storeEnvironment
    case storeControl, load, exchange, nothing, storePop, changeSign, absolute, test, examine, loadOne
    case loadLog2Of10, loadLog2OfE, loadPi, loadLog10Of2, loadLogOf2, loadZero, powerMinusOne, logarithm
    case tangent, arctangent, extract, remainderNearest, decrementTop, incrementTop, remainder
    case logarithmPlusOne, squareRoot, sineCosine, round, scale, sine, cosine, moveBelow, moveEqual
    case moveNotAbove, moveUnordered, compareQuietPopTwice, loadLong, truncateLong, storeLong, storeLongPop
    case loadExtended, storeExtendedPop, moveNotBelow, moveNotEqual, moveAbove, moveOrdered, clearExceptions
    case initialize, compareQuietFlags, compareFlags, loadDouble, truncateQuad, storeDouble, storeDoublePop
    case restore, save, storeStatus, free, store, compareQuiet, compareQuietPop, comparePopTwice, loadShort
    case truncateShort, storeShort, storeShortPop, loadDecimal, loadQuad, storeDecimalPop, storeQuadPop
    case freePop, storeStatusToAX, compareQuietFlagsPop, compareFlagsPop
}
