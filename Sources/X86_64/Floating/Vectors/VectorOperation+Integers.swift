// SPDX-License-Identifier: Apache-2.0

extension VectorOperation {
    /// An operation on packed integers of one lane: of `x` and `y`, or of `y` alone. Shift counts are `y`'s low half.
    func integers(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        switch self {
        case .move: y
        case .and: x & y
        case .andNot: ~x & y
        case .or: x | y
        case .xor: x ^ y
        case .paddb: .map(x, y, Lane.Bytes.self) { $0 &+ $1 }
        case .paddw: .map(x, y, Lane.Words.self) { $0 &+ $1 }
        case .paddd: .map(x, y, Lane.Doubles.self) { $0 &+ $1 }
        case .paddq: .map(x, y, Lane.Quads.self) { $0 &+ $1 }
        case .psubb: .map(x, y, Lane.Bytes.self) { $0 &- $1 }
        case .psubw: .map(x, y, Lane.Words.self) { $0 &- $1 }
        case .psubd: .map(x, y, Lane.Doubles.self) { $0 &- $1 }
        case .psubq: .map(x, y, Lane.Quads.self) { $0 &- $1 }
        case .pcmpeqb: .compare(x, y, Lane.Bytes.self) { $0 == $1 }
        case .pcmpeqw: .compare(x, y, Lane.Words.self) { $0 == $1 }
        case .pcmpeqd: .compare(x, y, Lane.Doubles.self) { $0 == $1 }
        case .pcmpeqq: .compare(x, y, Lane.Quads.self) { $0 == $1 }
        case .pcmpgtb: .compare(x, y, Lane.SignedBytes.self) { $0 > $1 }
        case .pcmpgtw: .compare(x, y, Lane.SignedWords.self) { $0 > $1 }
        case .pcmpgtd: .compare(x, y, Lane.SignedDoubles.self) { $0 > $1 }
        case .pcmpgtq: .compare(x, y, Lane.SignedQuads.self) { $0 > $1 }
        case .psllw: x.shiftedLeft(Lane.Words.self, y.low)
        case .pslld: x.shiftedLeft(Lane.Doubles.self, y.low)
        case .psllq: x.shiftedLeft(Lane.Quads.self, y.low)
        case .psrlw: x.shiftedRight(Lane.Words.self, y.low)
        case .psrld: x.shiftedRight(Lane.Doubles.self, y.low)
        case .psrlq: x.shiftedRight(Lane.Quads.self, y.low)
        case .psraw: x.shiftedRight(Lane.SignedWords.self, y.low)
        case .psrad: x.shiftedRight(Lane.SignedDoubles.self, y.low)
        case .psllvd: .shiftLeft(x, y, Lane.Doubles.self)
        case .psllvq: .shiftLeft(x, y, Lane.Quads.self)
        case .psrlvd: .shiftRight(x, y, Lane.Doubles.self)
        case .psrlvq: .shiftRight(x, y, Lane.Quads.self)
        case .psravd: .shiftRightSigned(x, y)
        case .pslldq: x.shifted(bytes: Int(y.low))
        case .psrldq: x.shifted(bytes: 0 - Int(y.low))
        default: shuffled(x, y, immediate)
        }
    }

    /// The less common ones: what moves elements.
    @inline(never)
    private func shuffled(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        switch self {
        case .moveLow32: Lane(low: x.low & ~0xffff_ffff | y.low & 0xffff_ffff, high: x.high)
        case .moveLow64: Lane(low: y.low, high: x.high)
        case .moveHighToLow: Lane(low: y.high, high: x.high)
        case .moveLowToHigh: Lane(low: x.low, high: y.low)
        case .movddup: Lane(low: y.low, high: y.low)
        case .movsldup: y.shuffleDoubles(0b1010_0000)
        case .movshdup: y.shuffleDoubles(0b1111_0101)
        case .unpackLow8: .interleave(x, y, Lane.Bytes.self, upper: false)
        case .unpackLow16: .interleave(x, y, Lane.Words.self, upper: false)
        case .unpackLow32: .interleave(x, y, Lane.Doubles.self, upper: false)
        case .unpackLow64: Lane(low: x.low, high: y.low)
        case .unpackHigh8: .interleave(x, y, Lane.Bytes.self, upper: true)
        case .unpackHigh16: .interleave(x, y, Lane.Words.self, upper: true)
        case .unpackHigh32: .interleave(x, y, Lane.Doubles.self, upper: true)
        case .unpackHigh64: Lane(low: x.high, high: y.high)
        case .packsswb: .pack(x, y, Lane.SignedWords.self, Lane.SignedBytes.self)
        case .packuswb: .pack(x, y, Lane.SignedWords.self, Lane.Bytes.self)
        case .packssdw: .pack(x, y, Lane.SignedDoubles.self, Lane.SignedWords.self)
        case .packusdw: .pack(x, y, Lane.SignedDoubles.self, Lane.Words.self)
        case .pshufb: .shuffleBytes(x, y)
        case .pshufd, .permilpsImmediate: y.shuffleDoubles(immediate)
        case .pshuflw, .pshufw: y.shuffleWords(immediate, first: 0)
        case .pshufhw: y.shuffleWords(immediate, first: 4)
        case .shufps: .shuffleSingles(x, y, immediate)
        case .shufpd: .shuffleQuads(x, y, immediate)
        case .permilpdImmediate: .shuffleQuads(y, y, immediate)
        case .permilps: .permuteSingles(x, y)
        case .permilpd: .permuteDoubles(x, y)
        case .palignr: .align(x, y, Int(immediate))
        case .blendps: .blend(x, y, immediate, Lane.Doubles.self)
        case .blendpd: .blend(x, y, immediate, Lane.Quads.self)
        case .pblendw: .blend(x, y, immediate, Lane.Words.self)
        case .pmovsxbw: .widen(y, Lane.SignedBytes.self, Lane.SignedWords.self)
        case .pmovsxbd: .widen(y, Lane.SignedBytes.self, Lane.SignedDoubles.self)
        case .pmovsxbq: .widen(y, Lane.SignedBytes.self, Lane.SignedQuads.self)
        case .pmovsxwd: .widen(y, Lane.SignedWords.self, Lane.SignedDoubles.self)
        case .pmovsxwq: .widen(y, Lane.SignedWords.self, Lane.SignedQuads.self)
        case .pmovsxdq: .widen(y, Lane.SignedDoubles.self, Lane.SignedQuads.self)
        case .pmovzxbw: .widen(y, Lane.Bytes.self, Lane.Words.self)
        case .pmovzxbd: .widen(y, Lane.Bytes.self, Lane.Doubles.self)
        case .pmovzxbq: .widen(y, Lane.Bytes.self, Lane.Quads.self)
        case .pmovzxwd: .widen(y, Lane.Words.self, Lane.Doubles.self)
        case .pmovzxwq: .widen(y, Lane.Words.self, Lane.Quads.self)
        case .pmovzxdq: .widen(y, Lane.Doubles.self, Lane.Quads.self)
        default: arithmetic(x, y, immediate)
        }
    }

    /// The rest: saturation, minima and maxima, products, ciphers.
    @inline(never)
    private func arithmetic(_ x: Lane, _ y: Lane, _ immediate: UInt8) -> Lane {
        switch self {
        case .paddsb: .map(x, y, Lane.SignedBytes.self) { $0.addingSaturated($1) }
        case .paddsw: .map(x, y, Lane.SignedWords.self) { $0.addingSaturated($1) }
        case .paddusb: .map(x, y, Lane.Bytes.self) { $0.addingSaturated($1) }
        case .paddusw: .map(x, y, Lane.Words.self) { $0.addingSaturated($1) }
        case .psubsb: .map(x, y, Lane.SignedBytes.self) { $0.subtractingSaturated($1) }
        case .psubsw: .map(x, y, Lane.SignedWords.self) { $0.subtractingSaturated($1) }
        case .psubusb: .map(x, y, Lane.Bytes.self) { $0.subtractingSaturated($1) }
        case .psubusw: .map(x, y, Lane.Words.self) { $0.subtractingSaturated($1) }
        case .pavgb: .map(x, y, Lane.Bytes.self) { $0.average($1) }
        case .pavgw: .map(x, y, Lane.Words.self) { $0.average($1) }
        case .pminub: .map(x, y, Lane.Bytes.self, min)
        case .pminuw: .map(x, y, Lane.Words.self, min)
        case .pminud: .map(x, y, Lane.Doubles.self, min)
        case .pminsb: .map(x, y, Lane.SignedBytes.self, min)
        case .pminsw: .map(x, y, Lane.SignedWords.self, min)
        case .pminsd: .map(x, y, Lane.SignedDoubles.self, min)
        case .pmaxub: .map(x, y, Lane.Bytes.self, max)
        case .pmaxuw: .map(x, y, Lane.Words.self, max)
        case .pmaxud: .map(x, y, Lane.Doubles.self, max)
        case .pmaxsb: .map(x, y, Lane.SignedBytes.self, max)
        case .pmaxsw: .map(x, y, Lane.SignedWords.self, max)
        case .pmaxsd: .map(x, y, Lane.SignedDoubles.self, max)
        case .pmullw: .map(x, y, Lane.Words.self) { $0 &* $1 }
        case .pmulld: .map(x, y, Lane.Doubles.self) { $0 &* $1 }
        case .pmulhw: .multiplyHigh(x, y)
        case .pmulhuw: .multiplyHighUnsigned(x, y)
        case .pmulhrsw: .multiplyHighRounded(x, y)
        case .pmuludq: .map(x, y, Lane.Quads.self) { ($0 & 0xffff_ffff) &* ($1 & 0xffff_ffff) }
        case .pmuldq: .map(x, y, Lane.SignedQuads.self) { (($0 &<< 32) &>> 32) &* (($1 &<< 32) &>> 32) }
        case .pmaddwd: .multiplyAddWords(x, y)
        case .pmaddubsw: .multiplyAddBytes(x, y)
        case .psadbw: .sumOfDifferences(x, y)
        case .mpsadbw: .slidingDifferences(x, y, immediate)
        case .phaddw: .horizontal(x, y, Lane.Words.self) { $0 &+ $1 }
        case .phaddd: .horizontal(x, y, Lane.Doubles.self) { $0 &+ $1 }
        case .phaddsw: .horizontal(x, y, Lane.SignedWords.self) { $0.addingSaturated($1) }
        case .phsubw: .horizontal(x, y, Lane.Words.self) { $0 &- $1 }
        case .phsubd: .horizontal(x, y, Lane.Doubles.self) { $0 &- $1 }
        case .phsubsw: .horizontal(x, y, Lane.SignedWords.self) { $0.subtractingSaturated($1) }
        case .psignb: .applySigns(x, y, Lane.SignedBytes.self)
        case .psignw: .applySigns(x, y, Lane.SignedWords.self)
        case .psignd: .applySigns(x, y, Lane.SignedDoubles.self)
        case .pabsb: y.absolute(Lane.SignedBytes.self)
        case .pabsw: y.absolute(Lane.SignedWords.self)
        case .pabsd: y.absolute(Lane.SignedDoubles.self)
        case .phminposuw: y.smallestWord()
        case .aesenc: .encrypt(x, y, mixes: true)
        case .aesenclast: .encrypt(x, y, mixes: false)
        case .aesdec: .decrypt(x, y, mixes: true)
        case .aesdeclast: .decrypt(x, y, mixes: false)
        case .aesimc: y.inverseMixed
        case .aeskeygenassist: y.assistedKey(immediate)
        case .pclmulqdq:
            .multiplyCarryless(immediate & 1 == 0 ? x.low : x.high, immediate & 16 == 0 ? y.low : y.high)
        case .sha1nexte: .sha1Next(x, y)
        case .sha1msg1: .sha1Schedule1(x, y)
        case .sha1msg2: .sha1Schedule2(x, y)
        case .sha256msg1: .sha256Schedule1(x, y)
        case .sha256msg2: .sha256Schedule2(x, y)
        case .sha1rnds4: .sha1Rounds(x, y, immediate)
        // Never asked here: the executor has these to itself.
        default: x
        }
    }

    /// How far the immediate of a 256-bit instruction is shifted for the upper lane.
    var immediateBitsOfLane: UInt8 {
        switch self {
        case .blendps: 4
        case .mpsadbw: 3
        case .blendpd, .shufpd, .permilpdImmediate: 2
        default: 0
        }
    }
}
