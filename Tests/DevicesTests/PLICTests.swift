// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("PLIC")
struct PLICTests {
    let plic = PLIC(sources: 95, contexts: 4)

    private func priority(_ source: UInt64) -> UInt64 { source * 4 }
    private func pending(_ word: UInt64) -> UInt64 { 0x1000 + word * 4 }
    private func enable(_ context: UInt64, _ word: UInt64 = 0) -> UInt64 { 0x2000 + context * 0x80 + word * 4 }
    private func threshold(_ context: UInt64) -> UInt64 { 0x20_0000 + context * 0x1000 }
    private func claim(_ context: UInt64) -> UInt64 { 0x20_0004 + context * 0x1000 }

    /// Gives `source` a priority, enables it for `context` and raises its wire.
    private func raise(_ source: UInt64, priority level: UInt64 = 1, context: UInt64 = 0) {
        plic.writeWord(level, priority(source))
        let register = enable(context, source / 32)
        plic.writeWord(plic.readWord(register) | 1 << (source % 32), register)
        plic.setSource(Int(source), level: true)
    }

    @Test("a source interrupts the contexts that enable it", arguments: [1, 31, 32, 64, 95] as [UInt64])
    func interrupts(source: UInt64) {
        raise(source, context: 1)
        #expect(plic.interruptLevels == 0b10)
        #expect(plic.readWord(pending(source / 32)) == 1 << (source % 32))
        raise(source, context: 3)
        #expect(plic.interruptLevels == 0b1010)
        #expect(plic.readWord(claim(3)) == source)
        #expect(plic.interruptLevels == 0)
    }

    @Test("a source of priority zero never interrupts and is never claimed")
    func zeroPriority() {
        raise(7, priority: 0)
        #expect(plic.interruptLevels == 0)
        #expect(plic.readWord(claim(0)) == 0)
        #expect(plic.readWord(pending(0)) == 1 << 7)
    }

    @Test("a claim answers the highest priority, of equal ones the lowest number, and then none")
    func claimOrder() {
        raise(9, priority: 2)
        raise(40, priority: 5)
        raise(3, priority: 2)
        raise(80, priority: 5)
        #expect((0..<5).map { _ in plic.readWord(claim(0)) } == [40, 80, 3, 9, 0])
    }

    @Test(
        "only a priority above the threshold interrupts, but a claim does not ask for it",
        arguments: [(2, 1), (3, 0), (7, 0)] as [(UInt64, UInt64)])
    func thresholds(level: UInt64, interrupts: UInt64) {
        plic.writeWord(level, threshold(0))
        raise(5, priority: 3)
        #expect(plic.interruptLevels == interrupts)
        #expect(plic.readWord(claim(0)) == 5)
    }

    @Test("two contexts do not claim the same request")
    func claimsOnce() {
        raise(5, context: 0)
        raise(5, context: 1)
        #expect(plic.readWord(claim(1)) == 5)
        #expect(plic.readWord(claim(0)) == 0)
    }

    @Test(
        "a source in service makes no request until it is completed, and then only if its wire is still up",
        arguments: [(true, 1), (false, 0)] as [(Bool, UInt64)])
    func gateway(staysUp: Bool, interrupts: UInt64) {
        raise(5)
        _ = plic.readWord(claim(0))
        plic.setSource(5, level: false)
        plic.setSource(5, level: true)
        plic.setSource(5, level: staysUp)
        #expect(plic.interruptLevels == 0)
        plic.writeWord(5, claim(0))
        #expect(plic.interruptLevels == interrupts)
    }

    @Test("after completion a fallen wire that rises makes a new request")
    func newRequest() {
        raise(5)
        _ = plic.readWord(claim(0))
        plic.setSource(5, level: false)
        plic.writeWord(5, claim(0))
        plic.setSource(5, level: true)
        #expect(plic.readWord(claim(0)) == 5)
    }

    @Test("a request that was made is not taken back when the wire falls")
    func notRetracted() {
        raise(5)
        plic.setSource(5, level: false)
        #expect(plic.interruptLevels == 1)
        #expect(plic.readWord(claim(0)) == 5)
    }

    @Test("completion is ignored for a source that the context has not enabled")
    func completionNotEnabled() {
        raise(5)
        _ = plic.readWord(claim(0))
        plic.writeWord(0, enable(0))
        plic.writeWord(5, claim(0))
        plic.writeWord(1 << 5, enable(0))
        #expect(plic.interruptLevels == 0)
        plic.writeWord(5, claim(0))
        #expect(plic.interruptLevels == 1)
    }

    @Test("completion by another context counts, if the source is enabled there")
    func completionElsewhere() {
        raise(5)
        _ = plic.readWord(claim(0))
        plic.writeWord(1 << 5, enable(1))
        plic.writeWord(5, claim(1))
        #expect(plic.interruptLevels == 0b11)
    }

    @Test(
        "completing a number that is no source's changes nothing",
        arguments: [0, 96, 1023, 1024, 0xFFFF_FFFF] as [UInt64])
    func completionOfNothing(number: UInt64) {
        raise(5)
        let before = plic.state
        plic.writeWord(number, claim(0))
        #expect(plic.state == before)
    }

    @Test("a wire of a number that is no source's is ignored", arguments: [Int.min, -1, 0, 96, 1024, .max])
    func wiresOfNothing(number: Int) {
        let before = plic.state
        plic.setSource(number, level: true)
        plic.setSource(number, level: false)
        #expect(plic.state == before)
    }

    @Test("priorities and thresholds keep three bits", arguments: [4, 95 * 4, 0x20_0000, 0x20_3000] as [UInt64])
    func threeBits(register: UInt64) {
        plic.writeWord(0xFFFF_FFFF, register)
        #expect(plic.readWord(register) == 7)
        plic.writeWord(0xFFFF_FFF8, register)
        #expect(plic.readWord(register) == 0)
    }

    @Test(
        "enable bits exist for the sources alone",
        arguments: [(0, 0xFFFF_FFFE), (1, 0xFFFF_FFFF), (2, 0xFFFF_FFFF), (3, 0)] as [(UInt64, UInt64)])
    func enableBits(word: UInt64, bits: UInt64) {
        plic.writeWord(0xFFFF_FFFF, enable(3, word))
        #expect(plic.readWord(enable(3, word)) == bits)
    }

    @Test("a last word that is not full has enable bits up to the last source")
    func lastWord() {
        let plic = PLIC(sources: 33, contexts: 1)
        plic.writeWord(0xFFFF_FFFF, enable(0, 1))
        #expect(plic.readWord(enable(0, 1)) == 0b11)
    }

    @Test("the pending bits cannot be written")
    func pendingReadOnly() {
        raise(5)
        plic.writeWord(0, pending(0))
        plic.writeWord(0xFFFF_FFFF, pending(1))
        #expect(plic.readWord(pending(0)) == 1 << 5)
        #expect(plic.readWord(pending(1)) == 0)
    }

    @Test(
        "source 0, what lies past the last source or context, and accesses but aligned words are reserved",
        arguments: [
            (0, .word), (96 * 4, .word), (0x100C, .word), (0x200C, .word), (0x2200, .word), (0x20_0008, .word),
            (0x20_4000, .word), (0x20_4004, .word), (0x3FF_F004, .word), (0x400_0000, .word), (.max, .word),
            (.max - 3, .word), (20, .byte), (20, .half), (16, .double), (21, .word), (0x20_0004, .double),
        ] as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        raise(5)
        let before = plic.state
        plic.write(0xFFFF_FFFF, at: offset, width: width)
        #expect(plic.read(at: offset, width: width) == 0)
        #expect(plic.state == before)
    }

    @Test("all sources up at once are claimed each once, in the order of their numbers")
    func claimStorm() {
        (1...95).forEach { raise($0) }
        #expect((1...96).map { _ in plic.readWord(claim(0)) } == Array(1...95) + [0])
        (1...95).forEach { plic.writeWord($0, claim(0)) }
        #expect((1...96).map { _ in plic.readWord(claim(0)) } == Array(1...95) + [0])
    }

    @Test("reset forgets everything but the wires, which make requests anew")
    func reset() {
        raise(5)
        raise(6)
        _ = plic.readWord(claim(0))
        plic.setSource(6, level: false)
        plic.reset()
        #expect(plic.interruptLevels == 0)
        #expect(plic.readWord(pending(0)) == 1 << 5)
        #expect(plic.readWord(priority(5)) == 0)
        #expect(plic.readWord(enable(0)) == 0)
    }
}
