// SPDX-License-Identifier: Apache-2.0

/// A decoded instruction: 8 bytes, one for each 2 bytes of code, so that its place in the page gives the PC.
///
/// Operands by format: R: a = rd, b = rs1, immediate = rs2. I, U, J: a = rd, b = rs1. S, B: a = rs2, b = rs1.
/// Floating point: a = rd, b = rs1, immediate = `FloatOperands`. A destination of x0 is 32, where nobody reads.
/// Branches and jumps hold a distance in bytes, their near forms in micro-ops.
struct MicroOp {
    var operation: Operation
    var a: UInt8
    var b: UInt8
    var immediate: Int32

    @inline(__always)
    init(_ operation: Operation, a: UInt8 = 0, b: UInt8 = 0, immediate: Int32 = 0) {
        self.operation = operation
        self.a = a
        self.b = b
        self.immediate = immediate
    }

    /// The immediate as the 64-bit operand it stands for.
    @inline(__always)
    var operand: UInt64 { UInt64(bitPattern: Int64(immediate)) }

    /// The second source register of R format.
    @inline(__always)
    var rs2: Int { Int(truncatingIfNeeded: immediate) & 31 }
}

/// The immediate of a floating-point micro-op: rs2, rs3, rounding mode and format of the operands.
struct FloatOperands {
    var bits: Int32
    var rs2: Int { Int(bits & 31) }
    var rs3: Int { Int(bits >> 8 & 31) }
    var rounding: Int { Int(bits >> 16 & 7) }
    /// 0 single, 1 double, 2 half (RISC-V Unpriv 20240411 §20.6, Zfh §23.1).
    var format: Int { Int(bits >> 24 & 3) }
}

/// The address of a micro-op within a decoded page.
@safe
struct OpPointer {
    // SAFETY: within a decoded page, or its sentinel, of a CodeCache that outlives the run.
    let address: UnsafeMutablePointer<MicroOp>

    @inline(__always)
    init(_ address: UnsafeMutablePointer<MicroOp>) {
        // SAFETY: stored; the caller's promise is the rest.
        unsafe self.address = address
    }

    /// The pointer that `bitPattern` gave, or nil for zero.
    @inline(__always)
    init?(bitPattern: UInt) {
        // SAFETY: made from a live OpPointer.
        guard let address = unsafe UnsafeMutablePointer<MicroOp>(bitPattern: bitPattern) else { return nil }
        unsafe self.address = address
    }

    var bitPattern: UInt {
        // SAFETY: the number only.
        unsafe UInt(bitPattern: address)
    }

    @inline(__always)
    var pointee: MicroOp {
        // SAFETY: pages are initialised whole, a sentinel included.
        get { unsafe address.pointee }
        nonmutating set { unsafe address.pointee = newValue }
    }

    /// The micro-op `count` further.
    @inline(__always)
    static func + (pointer: OpPointer, count: Int) -> OpPointer {
        // SAFETY: decoding keeps every step within its page and sentinel.
        unsafe OpPointer(pointer.address + count)
    }

    /// How many micro-ops `right` is before `left`.
    @inline(__always)
    static func - (left: OpPointer, right: OpPointer) -> Int {
        // SAFETY: both in one page.
        unsafe left.address - right.address
    }
}
