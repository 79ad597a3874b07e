// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("8259 pair")
struct PIC8259Tests {
    private enum Port {
        static let master: UInt64 = 0
        static let slave: UInt64 = 0x80
        static let levels: UInt64 = 0x4B0
    }

    let pair = PICPair()

    /// As a PC's systems set it up: vectors 0x20 and 0x28, nothing masked.
    init() {
        initialize(fourth: 0x01)
    }

    private func initialize(fourth: UInt64, slaveFourth: UInt64 = 0x01) {
        [0x11, 0x20, 0x04, fourth].enumerated().forEach { pair.writeByte($1, $0 == 0 ? Port.master : Port.master + 1) }
        [0x11, 0x28, 0x02, slaveFourth].enumerated().forEach {
            pair.writeByte($1, $0 == 0 ? Port.slave : Port.slave + 1)
        }
    }

    private func pulse(_ number: Int) {
        pair.setInput(number, level: true)
        pair.setInput(number, level: false)
    }

    private func raise(_ numbers: Int...) { numbers.forEach { pair.setInput($0, level: true) } }
    private func requests(_ chip: UInt64) -> UInt64 {
        pair.writeByte(0x0A, chip)
        return pair.readByte(chip)
    }
    private func inService(_ chip: UInt64) -> UInt64 {
        pair.writeByte(0x0B, chip)
        return pair.readByte(chip)
    }
    private func end(_ chip: UInt64) { pair.writeByte(0x20, chip) }
    private var interrupts: Bool { pair.interruptLevels == 1 }

    @Test("before it is initialized everything is masked, and masks read back")
    func powerOn() {
        let pair = PICPair()
        (0..<16).forEach { pair.setInput($0, level: true) }
        #expect(pair.interruptLevels == 0)
        #expect(pair.readByte(1) == 0xFF)
        pair.writeByte(0xFB, 1)
        #expect(pair.readByte(1) == 0xFB)
    }

    @Test(
        "each input has its vector, and both chips serve the slave's",
        arguments: [
            (0, 0x20, 0x01, 0), (1, 0x21, 0x02, 0), (7, 0x27, 0x80, 0), (8, 0x28, 0x04, 0x01), (12, 0x2C, 0x04, 0x10),
            (15, 0x2F, 0x04, 0x80),
        ]
            as [(Int, UInt8, UInt64, UInt64)])
    func vectors(input: Int, vector: UInt8, master: UInt64, slave: UInt64) {
        raise(input)
        #expect(interrupts)
        #expect(pair.acknowledge() == vector)
        #expect(!interrupts)
        #expect(inService(Port.master) == master)
        #expect(inService(Port.slave) == slave)
        #expect(requests(Port.master) == 0)
    }

    @Test("inputs come by their priority: 0, 1, the slave's, 3 to 7")
    func order() {
        raise(7, 3, 15, 8, 1, 0)
        var taken: [UInt8] = []
        (0..<6).forEach { _ in
            taken.append(pair.acknowledge())
            end(Port.slave)
            end(Port.master)
        }
        #expect(taken == [0x20, 0x21, 0x28, 0x2F, 0x23, 0x27])
        #expect(!interrupts)
    }

    @Test("what is in service holds back its own priority and those below, until its end")
    func nesting() {
        raise(4)
        _ = pair.acknowledge()
        raise(5)
        #expect(!interrupts)
        raise(3)
        #expect(pair.acknowledge() == 0x23)
        end(Port.master)
        #expect(inService(Port.master) == 1 << 4)
        #expect(!interrupts)
        end(Port.master)
        #expect(pair.acknowledge() == 0x25)
    }

    @Test(
        "an edge asks once; one that falls before it is acknowledged leaves a spurious interrupt",
        arguments: [(5, 0x27, 0, 0), (13, 0x27, 0, 0)] as [(Int, UInt8, UInt64, UInt64)])
    func retracted(input: Int, vector: UInt8, master: UInt64, slave: UInt64) {
        pulse(input)
        #expect(!interrupts)
        #expect(pair.acknowledge() == vector)
        #expect(inService(Port.master) == master)
        #expect(inService(Port.slave) == slave)
    }

    @Test("a spurious interrupt of the slave is 15, and the master serves its input 2")
    func spuriousSlave() {
        raise(9)
        pair.writeByte(0xFF, Port.slave + 1)
        // The slave's output fell with its mask: hold the master's input by another one that asks there.
        raise(10)
        pair.writeByte(0xFB, Port.slave + 1)
        #expect(pair.acknowledge() == 0x2A)
        #expect(inService(Port.master) == 0x04)
    }

    @Test("an edge that stays up does not ask again; the next one does")
    func edge() {
        raise(6)
        _ = pair.acknowledge()
        end(Port.master)
        #expect(!interrupts)
        pair.setInput(6, level: false)
        raise(6)
        #expect(interrupts)
    }

    @Test("a level asks as long as it is up")
    func level() {
        pair.writeByte(0x20, Port.levels)
        raise(5)
        #expect(pair.acknowledge() == 0x25)
        #expect(!interrupts)
        end(Port.master)
        #expect(pair.acknowledge() == 0x25)
        pair.setInput(5, level: false)
        end(Port.master)
        #expect(!interrupts)
    }

    @Test("inputs 0, 1, 2, 8 and 13 are edges for ever")
    func levelRegisters() {
        pair.writeByte(0xFF, Port.levels)
        pair.writeByte(0xFF, Port.levels + 1)
        #expect(pair.readByte(Port.levels) == 0xF8)
        #expect(pair.readByte(Port.levels + 1) == 0xDE)
    }

    @Test("a mask holds back, and does not forget")
    func masks() {
        pair.writeByte(0x10, Port.master + 1)
        raise(4)
        #expect(!interrupts)
        #expect(requests(Port.master) == 0x10)
        pair.writeByte(0, Port.master + 1)
        #expect(interrupts)
    }

    @Test("the slave's inputs are masked with the master's input 2, too")
    func maskedCascade() {
        pair.writeByte(0x04, Port.master + 1)
        raise(11)
        #expect(!interrupts)
        #expect(requests(Port.master) == 0x04)
        #expect(requests(Port.slave) == 0x08)
    }

    @Test("two of the slave's follow each other, each with its end")
    func slaveSequence() {
        raise(9, 14)
        #expect(pair.acknowledge() == 0x29)
        end(Port.slave)
        end(Port.master)
        #expect(pair.acknowledge() == 0x2E)
    }

    @Test("a specific end clears what it names")
    func specificEnd() {
        raise(6)
        _ = pair.acknowledge()
        raise(1)
        _ = pair.acknowledge()
        pair.writeByte(0x66, Port.master)
        #expect(inService(Port.master) == 0x02)
    }

    @Test("an automatic end leaves nothing in service, also of the slave's that follow")
    func automaticEnd() {
        initialize(fourth: 0x03, slaveFourth: 0x03)
        raise(9, 12, 5)
        #expect([pair.acknowledge(), pair.acknowledge(), pair.acknowledge()] == [0x29, 0x2C, 0x25])
        #expect(inService(Port.master) == 0)
        #expect(inService(Port.slave) == 0)
        #expect(!interrupts)
    }

    @Test(
        "priorities turn: by command, with an end of either kind, and automatically",
        arguments: [(0xC4, 0x26), (0xA0, 0x26), (0xE4, 0x26), (0x20, 0x23)] as [(UInt64, UInt8)])
    func rotation(command: UInt64, next: UInt8) {
        raise(4)
        _ = pair.acknowledge()
        pair.writeByte(command, Port.master)
        pair.writeByte(0x64, Port.master)
        raise(3, 6)
        #expect(pair.acknowledge() == next)
    }

    @Test("rotation on automatic ends, set and cleared")
    func automaticRotation() {
        initialize(fourth: 0x03)
        pair.writeByte(0x80, Port.master)
        raise(3)
        _ = pair.acknowledge()
        raise(1, 6)
        #expect(pair.acknowledge() == 0x26)
        pair.writeByte(0x00, Port.master)
        #expect(pair.acknowledge() == 0x21)
        raise(0)
        #expect(pair.acknowledge() == 0x20)
        #expect(pair.state.master.lowest == 6)
    }

    @Test("special mask mode lets lower priorities through while a masked one is in service")
    func specialMask() {
        raise(2 + 1)
        _ = pair.acknowledge()
        raise(6)
        #expect(!interrupts)
        pair.writeByte(0x08, Port.master + 1)
        pair.writeByte(0x68, Port.master)
        #expect(interrupts)
        #expect(pair.acknowledge() == 0x26)
        end(Port.master)
        #expect(inService(Port.master) == 0x08, "an end does not reach what is masked")
        pair.writeByte(0x48, Port.master)
        #expect(pair.state.master.isSpeciallyMasked == false)
    }

    @Test(
        "special fully nested: a higher one of the slave's interrupts another of the slave's",
        arguments: [(0x11, true), (0x01, false)] as [(UInt64, Bool)])
    func specialNested(fourth: UInt64, nests: Bool) {
        initialize(fourth: fourth)
        raise(12)
        _ = pair.acknowledge()
        raise(8)
        #expect(interrupts == nests)
    }

    @Test(
        "a poll answers the input and takes it into service; with none it answers zero", arguments: [0, 1] as [UInt64])
    func poll(port: UInt64) {
        raise(5)
        pair.writeByte(0x0C, Port.master)
        #expect(pair.readByte(Port.master + port) == 0x85)
        #expect(inService(Port.master) == 0x20)
        pair.writeByte(0x0C, Port.slave)
        #expect(pair.readByte(Port.slave + port) == 0)
        raise(14)
        pair.writeByte(0x0C, Port.slave)
        #expect(pair.readByte(Port.slave + port) == 0x86)
        #expect(requests(Port.master) == 0)
    }

    @Test("ICW1 begins anew: mask, service, rotation and pending edges are gone")
    func initialization() {
        raise(4)
        _ = pair.acknowledge()
        raise(6)
        pair.writeByte(0xC3, Port.master)
        pair.writeByte(0xFF, Port.master + 1)
        pair.writeByte(0x11, Port.master)
        #expect(pair.state.master.inService == 0)
        #expect(pair.state.master.mask == 0)
        #expect(pair.state.master.lowest == 7)
        #expect(!interrupts, "an input that is up makes no new edge")
    }

    @Test(
        "ICW3 and ICW4 come only if ICW1 says so",
        arguments: [(0x10, 2), (0x12, 1), (0x13, 2), (0x11, 3)] as [(UInt64, Int)])
    func words(first: UInt64, count: Int) {
        pair.writeByte(first, Port.master)
        (0..<count).forEach { _ in pair.writeByte(0x41, Port.master + 1) }
        pair.writeByte(0x5A, Port.master + 1)
        #expect(pair.readByte(Port.master + 1) == 0x5A)
        #expect(pair.state.master.vectorBase == 0x40)
    }

    @Test(
        "wires that are not there, and input 2, which is the slave's, are ignored",
        arguments: [Int.min, -1, 2, 16, 100, .max])
    func noInput(number: Int) {
        let before = pair.state
        raise(number)
        #expect(pair.state == before)
    }

    @Test(
        "ports that are not there, and wider accesses, change nothing",
        arguments: [
            (2, .byte), (0x7F, .byte), (0x82, .byte), (0x4AF, .byte), (0x4B2, .byte), (0, .half), (1, .word),
            (.max, .byte),
        ]
            as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        raise(3)
        let before = pair.state
        pair.write(0xFF, at: offset, width: width)
        #expect(pair.read(at: offset, width: width) == 0)
        #expect(pair.state == before)
    }

    @Test("reset masks all; the wires keep their levels, and levels ask again")
    func reset() {
        raise(5, 9)
        pair.reset()
        #expect(!interrupts)
        initialize(fourth: 1)
        pair.writeByte(0x20, Port.levels)
        #expect(pair.acknowledge() == 0x25)
    }
}
