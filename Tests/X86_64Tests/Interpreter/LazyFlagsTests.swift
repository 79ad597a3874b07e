// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Lazy flags")
struct LazyFlagsTests {
    @Test("every flag word survives", arguments: UInt64(0)..<64)
    func roundTrip(number: UInt64) {
        let places: [UInt64] = [0, 2, 4, 6, 7, 11]
        let word = places.enumerated().reduce(UInt64(0)) { $0 | (number >> UInt64($1.offset) & 1) << $1.element }
        #expect(LazyFlags(word).bits == word)
    }

    @Test("every flag word survives a change of CF and OF", arguments: UInt64(0)..<64)
    func changes(number: UInt64) {
        let places: [UInt64] = [0, 2, 4, 6, 7, 11]
        let word = places.enumerated().reduce(UInt64(0)) { $0 | (number >> UInt64($1.offset) & 1) << $1.element }
        var flags = LazyFlags(word)
        flags.set(carry: !flags.carry, overflow: flags.overflow)
        #expect(flags.bits == word ^ RFlags.carry)
        flags.set(carry: flags.carry, overflow: !flags.overflow)
        #expect(flags.bits == word ^ RFlags.carry ^ RFlags.overflow)
    }

    @Test("all byte additions leave the flags of their definition")
    func additions() {
        let wrong = (0..<65536).filter { pair in
            let (left, right) = (UInt8(pair >> 8), UInt8(pair & 255))
            let result = left &+ right
            return LazyFlags(sum: result, left, right).bits
                != definition(
                    result, carry: Int(left) + Int(right) > 255, (left ^ result) & (right ^ result), left, right)
        }
        #expect(wrong == [])
    }

    @Test("all byte subtractions leave the flags of their definition")
    func subtractions() {
        let wrong = (0..<65536).filter { pair in
            let (left, right) = (UInt8(pair >> 8), UInt8(pair & 255))
            let result = left &- right
            return LazyFlags(difference: result, left, right).bits
                != definition(result, carry: left < right, (left ^ right) & (left ^ result), left, right)
        }
        #expect(wrong == [])
    }

    // Intel SDM Vol 1 §3.4.3.1.
    private func definition(_ result: UInt8, carry: Bool, _ signs: UInt8, _ left: UInt8, _ right: UInt8) -> UInt64 {
        (carry ? RFlags.carry : 0) | (result.nonzeroBitCount % 2 == 0 ? RFlags.parity : 0)
            | ((left ^ right ^ result) & 16 != 0 ? RFlags.auxiliary : 0) | (result == 0 ? RFlags.zero : 0)
            | (result & 128 != 0 ? RFlags.sign : 0) | (signs & 128 != 0 ? RFlags.overflow : 0)
    }
}
