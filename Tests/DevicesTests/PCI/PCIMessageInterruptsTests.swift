// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@Suite("MSI-X")
struct PCIMessageInterruptsTests {
    let function = PlainFunction()
    let interrupts: PCIMessageInterrupts

    init() {
        function.configuration.addBaseAddress(1, .memory32(size: 4096))
        interrupts = PCIMessageInterrupts(
            vectors: 70, bar: 1, tableOffset: 0, pendingOffset: 0x800, configuration: function.configuration)
        control(0x8000)
        command(0x04)
    }

    private func control(_ value: UInt64) { function.writeConfiguration(value, at: 0x42, width: .half) }
    private func command(_ value: UInt64) { function.writeConfiguration(value, at: 0x04, width: .half) }

    /// Sets a vector's message and takes its mask away.
    private func arm(_ vector: UInt64, address: UInt64 = 0xFEE0_0000, data: UInt64 = 0x21) {
        interrupts.writeTable(address, at: vector * 16, width: .double)
        interrupts.writeTable(data, at: vector * 16 + 8, width: .double)
    }

    @Test("the capability says how many vectors there are and where they lie")
    func capability() {
        control(0)
        #expect(interrupts.capabilityOffset == 0x40)
        #expect(function.readConfiguration(at: 0x40, width: .word) == 0x0045_0011)
        #expect(function.readConfiguration(at: 0x44, width: .word) == 0x0000_0001)
        #expect(function.readConfiguration(at: 0x48, width: .word) == 0x0000_0801)
    }

    @Test("of message control the guest writes enable and function mask")
    func controlBits() {
        control(0xFFFF)
        #expect(function.readConfiguration(at: 0x42, width: .half) == 0xC045)
        #expect(interrupts.isEnabled)
    }

    @Test("a signalled vector sends its message once", arguments: [0, 69])
    func sends(vector: UInt64) {
        arm(vector, address: 0x1_FEE0_1004, data: 0xDEAD_BEEF_0021 & 0xFFFF_FFFF)
        interrupts.signal(Int(vector))
        let messages = interrupts.takeMessages()
        #expect(messages.map(\.address) == [0x1_FEE0_1004])
        #expect(messages.map(\.data) == [0xBEEF_0021])
        #expect(interrupts.takeMessages().isEmpty)
    }

    @Test("after reset all vectors are masked; a masked one stays pending and goes when the mask does")
    func masked() {
        #expect(interrupts.readTable(at: 5 * 16 + 12, width: .word) == 1)
        interrupts.signal(5)
        #expect(interrupts.takeMessages().isEmpty)
        #expect(interrupts.readPending(at: 0, width: .double) == 1 << 5)
        arm(5)
        #expect(interrupts.takeMessages().count == 1)
        #expect(interrupts.readPending(at: 0, width: .double) == 0)
    }

    @Test("the function's mask holds all vectors back")
    func functionMask() {
        arm(1)
        control(0xC000)
        interrupts.signal(1)
        #expect(interrupts.takeMessages().isEmpty)
        control(0x8000)
        #expect(interrupts.takeMessages().count == 1)
    }

    @Test("a function that may not write memory sends no message until it may")
    func busMaster() {
        arm(1)
        command(0)
        interrupts.signal(1)
        #expect(interrupts.takeMessages().isEmpty)
        command(0x04)
        #expect(interrupts.takeMessages().count == 1)
    }

    @Test("while MSI-X is disabled a signal is lost")
    func disabled() {
        arm(1)
        control(0)
        interrupts.signal(1)
        control(0x8000)
        #expect(interrupts.takeMessages().isEmpty)
    }

    @Test("a vector that does not exist is ignored", arguments: [Int.min, -1, 70, 0xFFFF, .max])
    func noVector(vector: Int) {
        let before = interrupts.state
        interrupts.signal(vector)
        #expect(interrupts.state == before)
    }

    @Test("the pending bits past the first word, and part of a word, can be read")
    func pendingWords() {
        interrupts.signal(69)
        #expect(interrupts.readPending(at: 8, width: .double) == 1 << 5)
        #expect(interrupts.readPending(at: 8, width: .word) == 1 << 5)
        #expect(interrupts.readPending(at: 12, width: .word) == 0)
        #expect(interrupts.readPending(at: 16, width: .double) == 0)
        #expect(interrupts.readPending(at: .max, width: .double) == 0)
    }

    @Test(
        "the table takes aligned words and doubles",
        arguments: [(3, .byte), (16, .half), (18, .word), (20, .double)] as [(UInt64, AccessWidth)])
    func tableWidths(offset: UInt64, width: AccessWidth) {
        let before = interrupts.state
        interrupts.writeTable(.max & width.mask, at: offset, width: width)
        #expect(interrupts.state == before)
    }

    @Test("a message's address is aligned to words")
    func alignedAddress() {
        interrupts.writeTable(0xFFFF_FFFF, at: 0, width: .word)
        #expect(interrupts.readTable(at: 0, width: .double) == 0xFFFF_FFFC)
    }

    @Test("what lies past the table is ignored", arguments: [70 * 16, .max - 7, .max - 3] as [UInt64])
    func pastTable(offset: UInt64) {
        let before = interrupts.state
        interrupts.writeTable(0, at: offset, width: .word)
        #expect(interrupts.readTable(at: offset, width: .double) == 0)
        #expect(interrupts.state == before)
    }

    @Test("reset masks all vectors and forgets what is pending")
    func reset() {
        arm(1)
        interrupts.signal(1)
        interrupts.reset()
        #expect(interrupts.readTable(at: 28, width: .word) == 1)
        #expect(interrupts.readPending(at: 0, width: .double) == 0)
    }
}
