// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

/// What the interpreter's loop keeps in host registers while it runs: where it is, and where data is found.
/// Everything else is in the processor's state. `save` writes it back before anything outside of the loop looks.
struct Frame {
    let state: ProcessorPointer
    /// The micro-op being executed.
    var op: OpPointer
    /// The instruction pointer of the first byte of its page.
    var page: UInt64
    /// The page's table; of an instruction by itself, no page's.
    var code: CodePage?
    let arena: OpPointer
    /// Instructions retired, the current one included.
    var retired: UInt64
    let data: DataSet
    let generation: UInt64

    /// The instruction pointer of the current micro-op.
    @inline(__always)
    var rip: UInt64 { page &+ UInt64(op.pointee.place & 0xfff) }

    /// Writes instruction pointer and count back to the state.
    @inline(__always)
    func save() {
        state.pointee.rip = rip
        state.pointee.retired = retired
    }

    /// Enters the page whose first byte has instruction pointer `page`: what is relative to it counts from there.
    @inline(__always)
    mutating func enter(_ code: CodePage, page: UInt64, _ op: OpPointer) {
        self.code = code
        self.page = page
        self.op = op
        state.setR64(17, page)
    }

    /// The micro-op at `target` and its page if both are known; nil where somebody has to look.
    @inline(__always)
    func find(_ target: UInt64) -> (OpPointer, CodePage)? {
        let linear = target &+ state.pointee.codeBase
        guard
            let code = state.fetchSet.find(
                linear & ~GuestPage.offsetMask, generation: state.pointee.fetchGeneration)
        else { return nil }
        let index = code[Int(truncatingIfNeeded: linear & GuestPage.offsetMask)]
        guard index != 0 else { return nil }
        return (arena + Int(index), code)
    }

    /// Goes on at `target` if that is known; false where somebody has to look.
    @inline(__always)
    mutating func jump(to target: UInt64) -> Bool {
        guard let (op, code) = find(target) else { return false }
        let linear = target &+ state.pointee.codeBase
        enter(code, page: target &- (linear & GuestPage.offsetMask), op)
        return true
    }

    /// Goes on with the micro-op behind this one.
    @inline(__always)
    mutating func advance() { op = op + 1 }

    /// Host memory for a load of `count` bytes if the soft TLB knows it.
    @inline(__always)
    func find(_ address: UInt64, count: UInt64, writes: Bool) -> UnsafeMutableRawPointer? {
        // SAFETY: handed on; see DataSet.
        unsafe data.find(address, count: count, generation: generation, writes: writes)
    }
}
