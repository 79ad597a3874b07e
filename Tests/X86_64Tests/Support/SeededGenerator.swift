// SPDX-License-Identifier: Apache-2.0

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// True once in `count` times.
    mutating func once(in count: UInt64) -> Bool { next() % count == 0 }

    /// A number that is often interesting: small, all ones, a sign bit, or anything.
    mutating func number() -> UInt64 {
        switch next() % 8 {
        case 0: next() & 0xff
        case 1: 0 &- (next() & 0xff)
        case 2: 1 << (next() & 63)
        case 3: (1 << (next() & 63)) &- 1
        case 4: next() & 0xffff_ffff
        default: next()
        }
    }
}
