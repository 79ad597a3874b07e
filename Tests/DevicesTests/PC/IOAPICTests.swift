// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// Keeps the messages that devices send.
final class MessageRecorder: MessageSink {
    struct Message: Equatable, Sendable {
        let address: UInt64
        let data: UInt32
    }
    let messages = Recorder<Message>()
    func deliver(address: UInt64, data: UInt32) { messages.record(Message(address: address, data: data)) }
}

@Suite("IOAPIC")
struct IOAPICTests {
    let sink = MessageRecorder()
    let ioapic: IOAPIC

    init() { ioapic = IOAPIC(messages: sink) }

    private func read(_ register: UInt64) -> UInt64 {
        ioapic.writeWord(register, 0)
        return ioapic.readWord(0x10)
    }

    private func write(_ value: UInt64, _ register: UInt64) {
        ioapic.writeWord(register, 0)
        ioapic.writeWord(value, 0x10)
        ioapic.performWork()
    }

    private func setEntry(_ pin: UInt64, _ entry: UInt64) {
        write(entry >> 32, 0x11 + 2 * pin)
        write(entry & 0xFFFF_FFFF, 0x10 + 2 * pin)
    }

    private func setPin(_ pin: Int, _ asserted: Bool) {
        ioapic.setPin(pin, asserted: asserted)
        ioapic.performWork()
    }

    private func end(_ vector: UInt8) {
        ioapic.endOfInterrupt(vector)
        ioapic.performWork()
    }

    private var sent: [UInt32] { sink.messages.all.map(\.data) }

    @Test(
        "after reset: version 0x20 with 24 entries, all masked",
        arguments: [
            (0, 0), (1, 0x0017_0020), (2, 0), (0x10, 0x10000), (0x11, 0), (0x3E, 0x10000), (0x3F, 0), (0x40, 0),
            (0xFF, 0), (3, 0),
        ]
            as [(UInt64, UInt64)])
    func powerOn(register: UInt64, value: UInt64) {
        #expect(read(register) == value)
    }

    @Test("the ID keeps four bits, the arbitration ID follows it, and the version cannot be written")
    func identity() {
        write(0xFFFF_FFFF, 0)
        write(0, 1)
        write(0, 2)
        #expect(read(0) == 0x0F00_0000)
        #expect(read(2) == 0x0F00_0000)
        #expect(read(1) == 0x0017_0020)
    }

    @Test("an entry keeps what can be written", arguments: [0, 12, 23] as [UInt64])
    func entryBits(pin: UInt64) {
        write(0xFFFF_FFFF, 0x10 + 2 * pin)
        write(0xFFFF_FFFF, 0x11 + 2 * pin)
        #expect(read(0x10 + 2 * pin) == 0x1_AFFF)
        #expect(read(0x11 + 2 * pin) == 0xFF00_0000)
        #expect(read(0x40) == 0)
    }

    @Test("an edge sends once, as its entry says")
    func edge() {
        setEntry(14, 0x0300_0000_0000_0076)
        setPin(14, true)
        setPin(14, true)
        setPin(14, false)
        #expect(sink.messages.all == [.init(address: 0xFEE0_3000, data: 0x76)])
        setPin(14, true)
        #expect(sent == [0x76, 0x76])
        #expect(read(0x10 + 28) == 0x76)
    }

    @Test(
        "destination mode and delivery go into the message",
        arguments: [
            (0xFF00_0000_0000_0830, 0xFEEF_F004, 0x030), (0x0100_0000_0000_0931, 0xFEE0_1004, 0x131),
            (0x0200_0000_0000_0400, 0xFEE0_2000, 0x400), (0x0000_0000_0000_8050, 0xFEE0_0000, 0xC050),
            (0x0000_0000_0000_2051, 0xFEE0_0000, 0x051), (0x0000_0000_0000_0700, 0xFEE0_0000, 0x700),
            (0x0000_0000_0000_8400, 0xFEE0_0000, 0x400),
        ] as [(UInt64, UInt64, UInt32)])
    func messages(entry: UInt64, address: UInt64, data: UInt32) {
        setEntry(3, entry)
        setPin(3, true)
        #expect(sink.messages.all == [.init(address: address, data: data)])
    }

    @Test("an edge at a masked pin is gone")
    func maskedEdge() {
        setEntry(14, 0x1_0066)
        setPin(14, true)
        setPin(14, false)
        write(0x66, 0x10 + 28)
        #expect(sent == [])
        setPin(14, true)
        #expect(sent == [0x66])
    }

    @Test("a level at a masked pin is sent when the mask goes")
    func maskedLevel() {
        setEntry(14, 0x1_8066)
        setPin(14, true)
        #expect(sent == [])
        write(0x8066, 0x10 + 28)
        #expect(sent == [0xC066])
    }

    @Test("a level sends once, shows its remote IRR, and sends again after its end while it is asserted")
    func level() {
        setEntry(9, 0x8077)
        setPin(9, true)
        #expect(read(0x10 + 18) == 0xC077)
        setPin(9, false)
        setPin(9, true)
        #expect(sent == [0xC077])
        end(0x77)
        #expect(sent == [0xC077, 0xC077])
        setPin(9, false)
        end(0x77)
        #expect(sent.count == 2)
        #expect(read(0x10 + 18) == 0x8077)
    }

    @Test("an end is heard by all pins of its vector, and no others")
    func ends() {
        setEntry(1, 0x8050)
        setEntry(2, 0x8050)
        setEntry(3, 0x8051)
        [1, 2, 3].forEach { setPin($0, true) }
        end(0x50)
        #expect(sent == [0xC050, 0xC050, 0xC051, 0xC050, 0xC050])
        end(0x99)
        #expect(sent.count == 5)
    }

    @Test("the register that ends interrupts does what the local APIC's word does")
    func endRegister() {
        setEntry(9, 0x8077)
        setPin(9, true)
        ioapic.writeWord(0x77, 0x40)
        ioapic.performWork()
        #expect(sent == [0xC077, 0xC077])
    }

    @Test("remote IRR cannot be written, but a turn to edge clears it")
    func remoteRequest() {
        setEntry(9, 0x1_C077)
        #expect(read(0x10 + 18) == 0x1_8077)
        write(0x8077, 0x10 + 18)
        setPin(9, true)
        write(0x1_8077, 0x10 + 18)
        #expect(read(0x10 + 18) == 0x1_C077)
        write(0x1_0077, 0x10 + 18)
        write(0x1_8077, 0x10 + 18)
        #expect(read(0x10 + 18) == 0x1_8077)
    }

    @Test("KVM is told of vectors that have levels")
    func levelVectors() {
        setEntry(9, 0x8077)
        setEntry(4, 0x0078)
        #expect(ioapic.hasLevel(vector: 0x77))
        #expect(!ioapic.hasLevel(vector: 0x78))
    }

    @Test("a pin that is not there is ignored", arguments: [Int.min, -1, 24, 64, .max])
    func noPin(number: Int) {
        let before = ioapic.state
        ioapic.setPin(number, asserted: true)
        #expect(ioapic.state == before)
    }

    @Test(
        "what is reserved reads as zero and changes nothing",
        arguments: [(0x10, .byte), (0x10, .double), (0x20, .word), (0x40, .half), (0x14, .word), (.max, .word)]
            as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        ioapic.writeWord(1, 0)
        setEntry(9, 0x8077)
        setPin(9, true)
        ioapic.writeWord(0x22, 0)
        let before = ioapic.state
        ioapic.write(0x77, at: offset, width: width)
        #expect(ioapic.read(at: offset, width: width) == 0)
        #expect(ioapic.state == before)
    }

    @Test("reset masks all; a wire that is up sends when its level is unmasked again")
    func reset() {
        setEntry(9, 0x8077)
        setPin(9, true)
        ioapic.reset()
        #expect(read(0x10 + 18) == 0x10000)
        write(0x8078, 0x10 + 18)
        #expect(sent == [0xC077, 0xC078])
    }

    @Test("with a local APIC: a level interrupt goes its whole way and comes back")
    func wholeWay() {
        let bench = LAPICBench.enabled()
        let ended = Recorder<UInt8>()
        let fabric = InterruptFabric([bench.inbox]) { ended.record($0) }
        setEntry(9, 0x8077)
        ioapic.setPin(9, asserted: true)
        sinkInto(fabric)
        #expect(bench.apic.acknowledge() == .vector(0x77))
        ioapic.setPin(9, asserted: false)
        bench.endOfInterrupt()
        bench.apic.takeRequests().forEach(fabric.perform)
        ended.all.forEach(ioapic.endOfInterrupt)
        #expect(read(0x10 + 18) == 0x8077)
    }

    private func sinkInto(_ fabric: InterruptFabric) {
        ioapic.performWork()
        sink.messages.all.forEach { fabric.deliver(address: $0.address, data: $0.data) }
    }
}
