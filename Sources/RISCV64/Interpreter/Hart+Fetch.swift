// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What a fetch found.
enum FetchedPage {
    /// The page's micro-ops.
    case page(OpPointer)
    /// PMP divides the page: each of its instructions is fetched by itself.
    case alone
    /// An exception was raised: the PC is the handler's.
    case trapped
}

extension Hart {
    /// The decoded page that the PC is in, found by a walk and put among the fetch entries.
    func fetchPage() -> FetchedPage {
        let page = state.pointee.pc & ~GuestPage.offsetMask
        switch translate(state.pointee.pc, .fetch) {
        case .failure(let fault):
            raise(Hart.cause(fault, .fetch), value: state.pointee.pc)
            return .trapped
        case .success(let found):
            let physical = found.physical & ~GuestPage.offsetMask
            // SAFETY: a whole page of RAM.
            guard let host = unsafe memory.hostPointer(at: GuestAddress(physical), count: GuestPage.size) else {
                raise(.instructionAccess, value: state.pointee.pc)
                return .trapped
            }
            guard pmpIsUniform(page: physical) else { return .alone }
            let (ops, evicted, isNew) = unsafe code.ops(page: physical >> GuestPage.shift, host: host)
            if isNew { counters.codePages &+= 1 }
            if evicted { tlb.flushFetches() }
            tlb.noteLarge(page, size: found.size)
            contextChanged()
            // SAFETY: a set of this hart's TLB, put there by contextChanged.
            guard let set = unsafe UnsafeMutableRawPointer(bitPattern: state.pointee.fetchTLB) else {
                return .page(ops)
            }
            unsafe FetchSet(base: set).insert(page, ops: ops, generation: tlb.fetchGeneration)
            return .page(ops)
        }
    }

    /// Decodes the micro-op at `index` of the page at `base`.
    func decode(_ base: OpPointer, index: Int) {
        let op = base + index
        if debug.breakpoints.contains(where: { Int($0 & GuestPage.offsetMask) / 2 == index }) {
            op.pointee = MicroOp(.breakpointHit)
        } else if let bits = code.bits(base, index: index) {
            op.pointee = Decoder.decode(bits, index: index)
        } else {
            op.pointee = MicroOp(.straddle)
        }
    }

    /// Decodes the instruction at the PC into the scratch page, wherever it lies; nil when the fetch trapped.
    func decodeAlone() -> OpPointer? {
        let pc = state.pointee.pc
        guard let low = fetchHalf(pc) else { return nil }
        var bits = UInt32(low)
        if low & 3 == 3 {
            guard let high = fetchHalf(pc &+ 2) else { return nil }
            bits |= UInt32(high) << 16
        }
        code.scratch.pointee = Decoder.decode(bits, index: nil)
        return code.scratch
    }

    private func fetchHalf(_ address: UInt64) -> UInt16? {
        switch translate(address, .fetch) {
        case .failure(let fault):
            raise(Hart.cause(fault, .fetch), value: address)
            return nil
        case .success(let found):
            if let half = memory.load(UInt16.self, at: GuestAddress(found.physical)) { return half }
            raise(.instructionAccess, value: address)
            return nil
        }
    }

    /// The instruction's bits at `address` for tval, zero where they cannot be read.
    func instructionBits(at address: UInt64) -> UInt64 {
        func half(_ address: UInt64) -> UInt64? {
            guard case .success(let found) = translate(address, .fetch),
                let half = memory.load(UInt16.self, at: GuestAddress(found.physical))
            else { return nil }
            return UInt64(half)
        }
        guard let low = half(address) else { return 0 }
        guard low & 3 == 3 else { return low }
        guard let high = half(address &+ 2) else { return 0 }
        return low | high << 16
    }

    /// Breakpoints or watchpoints changed: nothing decoded or cached before may run on.
    func debugChanged() {
        code.flush()
        tlb.flush()
        contextChanged()
    }
}
