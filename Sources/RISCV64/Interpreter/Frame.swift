// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

/// What the interpreter's loop keeps in host registers while it runs: where it is, and where data is found.
/// Everything else is in the hart's state. `save` writes it back before anything outside of the loop looks.
struct Frame {
    let hart: HartPointer
    /// The micro-op being executed.
    var op: OpPointer
    /// The first micro-op of its page.
    var base: OpPointer
    /// The guest-virtual address that `base` stands for.
    var page: UInt64
    /// Instructions retired, the current one included.
    var retired: UInt64
    var data: DataSet
    var generation: UInt64

    /// The guest-virtual address of the current micro-op: 2 bytes of code for each.
    @inline(__always)
    var pc: UInt64 { page &+ UInt64(truncatingIfNeeded: op - base) &* 2 }

    @inline(__always)
    func x(_ index: UInt8) -> UInt64 { hart.x(Int(index)) }

    @inline(__always)
    func setX(_ index: UInt8, _ value: UInt64) { hart.setX(Int(index), value) }

    /// Writes PC and count back to the state.
    @inline(__always)
    func save() {
        hart.pointee.pc = pc
        hart.pointee.retired = retired
    }

    /// Goes on with the instruction at `pc` that was decoded to `op` outside of a page.
    ///
    /// `page` may not be a page's address then, or a jump within that page would count micro-ops from `base`: where the
    /// instruction begins a page, both stand 2 bytes before it.
    @inline(__always)
    mutating func enterAlone(_ op: OpPointer, at pc: UInt64) {
        let back = pc & GuestPage.offsetMask == 0 ? 1 : 0
        self.op = op
        base = op + (0 - back)
        page = pc &- UInt64(back * 2)
    }

    /// Whether another thread asks for something.
    @inline(__always)
    var hasRequests: Bool { hart.hasRequests }

    // MARK: Shapes of instructions. `step` is the length in micro-ops: 2, or 1 for compressed ones.

    @inline(__always)
    mutating func register(_ op: MicroOp, step: Int = 2, _ body: (UInt64, UInt64) -> UInt64) {
        setX(op.a, body(x(op.b), hart.x(op.rs2)))
        self.op = self.op + step
    }

    @inline(__always)
    mutating func immediate(_ op: MicroOp, step: Int = 2, _ body: (UInt64, UInt64) -> UInt64) {
        setX(op.a, body(x(op.b), op.operand))
        self.op = self.op + step
    }

    @inline(__always)
    mutating func unary(_ op: MicroOp, _ body: (UInt64) -> UInt64) {
        setX(op.a, body(x(op.b)))
        self.op = self.op + 2
    }

    /// A branch within the page; true if it was taken while somebody asks for something, which may wait no longer.
    @inline(__always)
    mutating func branchNear(_ op: MicroOp, step: Int = 2, _ taken: Bool) -> Bool {
        guard taken else {
            self.op = self.op + step
            return false
        }
        self.op = self.op + Int(op.immediate)
        return hasRequests
    }

    /// A branch out of the page; true if it was taken, with the target in the state's PC.
    @inline(__always)
    mutating func branch(_ op: MicroOp, step: Int = 2, _ taken: Bool) -> Bool {
        guard taken else {
            self.op = self.op + step
            return false
        }
        hart.pointee.pc = pc &+ op.operand
        return true
    }

    /// Goes on at `target` if its page can be had without a walk; false with the target in the state's PC.
    @inline(__always)
    mutating func jump(to target: UInt64) -> Bool {
        let offset = Int(truncatingIfNeeded: target & GuestPage.offsetMask) >> 1
        if target & ~GuestPage.offsetMask == page {
            op = base + offset
            return true
        }
        guard
            let ops = hart.fetchSet.find(
                target & ~GuestPage.offsetMask, generation: hart.pointee.fetchGeneration)
        else {
            hart.pointee.pc = target
            return false
        }
        base = ops
        page = target & ~GuestPage.offsetMask
        op = base + offset
        return true
    }

    /// Where an aligned access of `mask + 1` bytes goes if the soft TLB knows it.
    @inline(__always)
    func find(_ address: UInt64, _ mask: UInt64, writes: Bool) -> UnsafeMutableRawPointer? {
        // SAFETY: handed on; see DataSet.
        unsafe data.find(address, mask: mask, generation: generation, writes: writes)
    }
}

extension HartPointer {
    /// Whether the mailbox has requests: one load.
    @inline(__always)
    var hasRequests: Bool {
        // SAFETY: the mailbox lies there; its first field is the requests.
        unsafe ga_load_64(UnsafeRawPointer(address) + HartPointer.mailboxOffset) != 0
    }

    /// The fetch entries of the current context.
    @inline(__always)
    var fetchSet: FetchSet {
        // SAFETY: contextChanged put the address of a live set there.
        unsafe FetchSet(base: UnsafeMutableRawPointer(bitPattern: pointee.fetchTLB).unsafelyUnwrapped)
    }

    /// The data entries of the current context.
    @inline(__always)
    var dataSet: DataSet {
        // SAFETY: as above.
        unsafe DataSet(base: UnsafeMutableRawPointer(bitPattern: pointee.dataTLB).unsafelyUnwrapped)
    }
}

/// Sign extension of a 32-bit result.
@inline(__always)
func word(_ value: UInt64) -> UInt64 { UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) }

@inline(__always)
func signed(_ value: UInt64) -> Int64 { Int64(bitPattern: value) }
