// SPDX-License-Identifier: Apache-2.0

/// CF, PF, AF, ZF, SF and OF as two numbers that every arithmetic instruction has at hand anyway, so that flags which
/// nobody reads cost two stores. There is no second form: these two always say it all.
///
/// `result` is the result, sign-extended to 64 bits. `carries` has in bit 63 the carry out of the most significant bit,
/// in bit 62 the carry into it, in bit 3 the carry out of bit 3. For flag words that no result could leave behind, bits
/// 15:8 are what PF's byte differs by, and bit 0 says that SF is not the result's sign.
struct LazyFlags {
    var result: UInt64 = 1
    var carries: UInt64 = 0

    @inline(__always)
    init(result: UInt64, carries: UInt64) {
        self.result = result
        self.carries = carries
    }

    /// All clear: a positive result of odd parity.
    init() {}

    /// The flags that `rflags` says.
    @inline(__always)
    init(_ rflags: UInt64) {
        // A result of 1 << 8 has no sign, is not zero, and leaves PF to the difference.
        result = rflags & RFlags.zero != 0 ? 0 : 1 << 8
        var carries = (rflags & RFlags.carry) << 63
        carries |= ((rflags >> 11 ^ rflags) & 1) << 62
        carries |= (rflags & RFlags.auxiliary) >> 1
        carries |= (~rflags & RFlags.parity) << 6
        carries |= (rflags & RFlags.sign) >> 7
        self.carries = carries
    }

    @inline(__always) var carry: Bool { Int64(bitPattern: carries) < 0 }
    @inline(__always) var zero: Bool { result == 0 }
    @inline(__always) var sign: Bool { (result >> 63 ^ carries) & 1 != 0 }
    @inline(__always) var overflow: Bool { (carries ^ carries << 1) >> 63 != 0 }
    @inline(__always) var parity: Bool { ((result ^ carries >> 8) & 0xff).nonzeroBitCount & 1 == 0 }

    /// The six flags in their places.
    @inline(__always)
    var bits: UInt64 {
        var bits = carries >> 63 | (carries & 8) << 1
        if parity { bits |= RFlags.parity }
        if zero { bits |= RFlags.zero }
        bits |= ((result >> 63 ^ carries) & 1) << 7
        bits |= ((carries ^ carries << 1) >> 63) << 11
        return bits
    }
}
