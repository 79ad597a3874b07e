// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

/// What looking for the code at the instruction pointer came to.
enum FetchedCode {
    /// The micro-op to go on with, and its page.
    case code(OpPointer, CodePage)
    /// The instruction is to be fetched by itself: it leaves its page, CS's limit or what is RAM.
    case alone
    /// A fault was raised.
    case fault
}

extension Processor {
    /// The linear address of the instruction pointer.
    @inline(__always)
    var codeAddress: UInt64 { wrapped(state.pointee.rip &+ state.pointee.codeBase) }

    /// The decoded instruction at the instruction pointer, translated and decoded as far as it was not.
    func fetchCode() -> FetchedCode {
        let linear = codeAddress
        let page = linear & ~GuestPage.offsetMask
        let offset = Int(linear & GuestPage.offsetMask)
        if let found = state.fetchSet.find(page, generation: state.pointee.fetchGeneration) {
            return decoded(found, offset)
        }
        guard checkCodeAddress(linear) else { return .fault }
        guard let found = translate(linear, .fetch) else { return .fault }
        let physical = found.physical & ~GuestPage.offsetMask
        // SAFETY: a whole page of RAM.
        guard limitCovers(page: page), debug.breakpoints.isEmpty || !hasBreakpoint(page: page),
            let host = unsafe memory.hostPointer(at: GuestAddress(physical), count: GuestPage.size)
        else { return .alone }
        let code = unsafe codePage(physical >> GuestPage.shift, host: host)
        tlb.noteLarge(linear, size: found.size)
        state.fetchSet.insert(page, code: code, generation: tlb.fetchGeneration)
        return decoded(code, offset)
    }

    /// The page's decoded instructions, marked and as memory has them now.
    private func codePage(_ number: UInt64, host: UnsafeMutableRawPointer) -> CodePage {
        let mode = codeMode
        switch code.find(number, mode) {
        case .found(let page): return page
        case .stale(let page):
            // The mark first: what is written from here on is heard of.
            markCode(page: number)
            counters.codePages &+= 1
            // SAFETY: a page of RAM, by the caller's translation.
            if unsafe code.refresh(page, host: host) { counters.codeDrops &+= 1 }
            return page
        case .full:
            flushCode()
            return unsafe codePage(number, host: host)
        }
    }

    /// Forgets all decoded instructions.
    func flushCode() {
        code.flush()
        tlb.flushFetches()
        contextChanged()
    }

    /// The micro-op at `offset` of `page`, decoded now if it was not.
    private func decoded(_ page: CodePage, _ offset: Int) -> FetchedCode {
        let index = page[offset]
        if index != 0 { return .code(code.arena + Int(index), page) }
        guard code.hasRoom else {
            flushCode()
            return fetchCode()
        }
        return .code(decodeRun(page, offset), page)
    }

    /// Whether code may be at the linear address that the instruction pointer gives; #GP(0) where not.
    private func checkCodeAddress(_ linear: UInt64) -> Bool {
        let allowed =
            state.pointee.is64Bit
            ? isCanonical(linear) : state.pointee.rip <= UInt64(state.pointee.segments[1].limit)
        if !allowed { fault = .generalProtection }
        return allowed
    }

    /// Whether all of a page is within CS's limit, so that nothing in it needs to be checked.
    private func limitCovers(page: UInt64) -> Bool {
        if state.pointee.is64Bit { return true }
        let limit = UInt64(state.pointee.segments[1].limit)
        let first = (page &- state.pointee.codeBase) & 0xffff_ffff
        return first &+ GuestPage.offsetMask <= limit
    }

    private func hasBreakpoint(page: UInt64) -> Bool {
        debug.breakpoints.contains { $0 & ~GuestPage.offsetMask == page }
    }

    // MARK: Decoding

    /// Decodes a run of instructions that begins at `offset` of `page`.
    private func decodeRun(_ page: CodePage, _ offset: Int) -> OpPointer {
        let decoder = Decoder(mode: codeMode, features: configuration.model.features)
        let first = code.nextIndex
        var place = offset
        for count in 1..<CodeCache.longestRun {
            let known = page[place]
            if known != 0 {
                // What follows is decoded already: go on there.
                var link = MicroOp(.link)
                link.immediate = Int32(known) - Int32(code.nextIndex)
                code.append(link)
                break
            }
            page[place] = code.nextIndex
            let (op, end) = decodeOne(decoder, page, place)
            code.append(op)
            place += Int(op.length)
            if end { break }
            if place == Int(GuestPage.size) || count == CodeCache.longestRun - 1 {
                appendLeave(at: place)
                break
            }
        }
        code.noteDecoded(page, from: offset, to: max(place, offset + 1))
        return code.arena + Int(first)
    }

    /// Ends a run: execution goes on at `offset` of the page, which may be the next one's first byte.
    private func appendLeave(at offset: Int) {
        var leave = MicroOp(.leave)
        leave.immediate = Int32(offset)
        code.append(leave)
    }

    /// The micro-op of the instruction at `offset`, and whether the run ends with it.
    private func decodeOne(_ decoder: Decoder, _ page: CodePage, _ offset: Int) -> (MicroOp, end: Bool) {
        let result: Decoded = decoder.decode(code.bytes(page, offset))
        let known = Int(GuestPage.size) - offset
        var op: MicroOp
        var ends = true
        switch result {
        case .instruction(let instruction):
            // In a page, addresses relative to the next instruction count from the page's beginning.
            guard let lowered = instruction.lowered(at: offset) else { return alone(offset) }
            op = lowered
            ends = instruction.row.attributes.contains(.ends)
            op.place = UInt16(offset) | UInt16(instruction.length) << 12
            return (op, ends)
        case .truncated: return alone(offset)
        case .undefined:
            op = MicroOp(.undefined)
            op.detail = UInt16(ExceptionVector.invalidOpcode.rawValue)
        case .tooLong:
            guard known >= 15 else { return alone(offset) }
            op = MicroOp(.undefined)
            op.detail = UInt16(ExceptionVector.generalProtection.rawValue)
        }
        op.place = UInt16(offset)
        return (op, true)
    }

    private func alone(_ offset: Int) -> (MicroOp, end: Bool) {
        var op = MicroOp(.straddle)
        op.place = UInt16(offset)
        return (op, true)
    }

    /// Decodes the instruction at the instruction pointer into the scratch run, wherever it lies; nil when the fetch
    /// faulted.
    func decodeAlone() -> OpPointer? {
        let decoder = Decoder(mode: codeMode, features: configuration.model.features)
        guard checkCodeAddress(codeAddress) else { return nil }
        var bytes = CodeBytes()
        var decoded = Decoded.truncated
        while case .truncated = decoded, bytes.count < 15 {
            let offset = state.pointee.rip &+ UInt64(bytes.count)
            // Bytes past CS's limit fault before the page that they are in does.
            if !state.pointee.is64Bit, offset > UInt64(state.pointee.segments[1].limit) {
                fault = .generalProtection
                return nil
            }
            guard fetchBytes(into: &bytes, at: wrapped(offset &+ state.pointee.codeBase)) else { return nil }
            decoded = decoder.decode(bytes)
        }
        let scratch = code.scratch
        var op: MicroOp
        switch decoded {
        case .instruction(let instruction):
            op = instruction.op
            op.place = UInt16(instruction.length) << 12
            (scratch + 1).pointee.immediate = Int32(instruction.length)
        case .tooLong:
            op = MicroOp(.undefined)
            op.detail = UInt16(ExceptionVector.generalProtection.rawValue)
        case .truncated, .undefined:
            op = MicroOp(.undefined)
            op.detail = UInt16(ExceptionVector.invalidOpcode.rawValue)
        }
        scratch.pointee = op
        return scratch
    }

    /// Adds the byte at a linear address to `bytes`, or as many as the fetch has without asking again; false: a fault was
    /// raised.
    private func fetchBytes(into bytes: inout CodeBytes, at linear: UInt64) -> Bool {
        guard let found = translate(linear, .fetch) else { return false }
        bytes.append(UInt8(truncatingIfNeeded: readPhysical(found.physical, 1)))
        return true
    }
}

extension CodeCache {
    /// Up to 16 bytes at `offset` of `page`, as far as the page goes.
    func bytes(_ page: CodePage, _ offset: Int) -> CodeBytes {
        // SAFETY: within the snapshot; the words at its end are read from where they are whole.
        let snapshot = unsafe UnsafeRawPointer(page.snapshot)
        let count = min(16, Int(GuestPage.size) - offset)
        guard count == 16 else {
            var bytes = CodeBytes()
            for index in 0..<count {
                unsafe bytes.append(snapshot.load(fromByteOffset: offset + index, as: UInt8.self))
            }
            return bytes
        }
        return unsafe CodeBytes(
            low: snapshot.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
            high: snapshot.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self), count: 16)
    }
}
