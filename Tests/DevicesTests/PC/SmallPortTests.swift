// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Keyboard controller without a keyboard")
struct I8042Tests {
    let requests = Recorder<MachineRequest>()
    let gates = Recorder<Bool>()
    let chip: I8042

    init() {
        let (requests, gates) = (requests, gates)
        chip = I8042(requests: { requests.record($0) }, a20Changed: { gates.record($0) })
    }

    private func command(_ bytes: UInt64...) {
        chip.writeByte(bytes[0], 4)
        bytes.dropFirst().forEach { chip.writeByte($0, 0) }
        chip.performWork()
    }

    private var status: UInt64 { chip.readByte(4) }

    @Test(
        "commands with an answer",
        arguments: [(0xAA, 0x55), (0xAB, 0x00), (0x20, 0x04), (0xC0, 0xA0), (0xD0, 0xC3)] as [(UInt64, UInt64)])
    func answers(byte: UInt64, answer: UInt64) {
        command(byte)
        #expect(status & 0x4D == 0x0D)
        #expect(chip.readByte(0) == answer)
        #expect(status & 1 == 0)
        #expect(chip.readByte(0) == answer, "an empty buffer shows what was there")
    }

    @Test(
        "the configuration and the memory are kept",
        arguments: [(0x60, 0x20), (0x61, 0x21), (0x7F, 0x3F)] as [(UInt64, UInt64)])
    func memory(write: UInt64, read: UInt64) {
        command(write, 0x47)
        command(read)
        #expect(chip.readByte(0) == 0x47)
    }

    @Test("the keyboard is disabled and enabled, and enabled by a byte to it")
    func keyboard() {
        command(0xAD)
        #expect(chip.state.memory[0] == 0x14)
        command(0xAE)
        #expect(chip.state.memory[0] == 0x04)
        command(0xAD)
        chip.writeByte(0xFF, 0)
        #expect(chip.state.memory[0] == 0x04)
    }

    @Test("a byte to the keyboard times out, and interrupts if that is enabled")
    func timeout() {
        chip.writeByte(0xF2, 0)
        #expect(status == 0x55)
        #expect(chip.interruptLevels == 0)
        command(0x60, 0x05)
        #expect(chip.interruptLevels == 1)
        #expect(chip.readByte(0) == 0xFE)
        #expect(chip.interruptLevels == 0)
        #expect(status & 0x41 == 0)
    }

    @Test("an answer as from the keyboard interrupts, the controller's own does not")
    func asKeyboard() {
        command(0x60, 0x01)
        command(0xAA)
        #expect(chip.interruptLevels == 0)
        command(0xD2, 0x1C)
        #expect(chip.interruptLevels == 1)
        #expect(chip.readByte(0) == 0x1C)
    }

    @Test(
        "commands for a second port are not known: what follows them is for the keyboard",
        arguments: [0xA7, 0xA8, 0xD3, 0xD4] as [UInt64])
    func noSecondPort(byte: UInt64) {
        command(byte)
        #expect(status & 1 == 0)
        chip.writeByte(0x5A, 0)
        #expect(status == 0x55)
        #expect(chip.readByte(0) == 0xFE)
        command(0xA9)
        #expect(chip.readByte(0) == 2)
    }

    @Test("a pulse of bit 0 resets, in all its forms", arguments: [[0xFE], [0xF0], [0xD1, 0x02]] as [[UInt64]])
    func resets(bytes: [UInt64]) {
        chip.writeByte(bytes[0], 4)
        bytes.dropFirst().forEach { chip.writeByte($0, 0) }
        chip.performWork()
        #expect(requests.all == [.reset])
    }

    @Test("pulses of other bits do not", arguments: [0xFF, 0xFD, 0xF1] as [UInt64])
    func otherPulses(byte: UInt64) {
        command(byte)
        #expect(requests.all.isEmpty)
    }

    @Test("A20 by the output port, by commands and by port 0x92, told when it changes")
    func a20() {
        command(0xD1, 0x01)
        command(0xDF)
        command(0xDF)
        command(0xDD)
        chip.writeByte(0x02, 0x32)
        chip.performWork()
        #expect(gates.all == [false, true, false, true])
        #expect(chip.readByte(0x32) == 2)
        command(0xD0)
        #expect(chip.readByte(0) & 2 == 2)
    }

    @Test("port 0x92 resets by a rise")
    func fastReset() {
        chip.writeByte(0x03, 0x32)
        chip.performWork()
        chip.writeByte(0x03, 0x32)
        chip.performWork()
        #expect(requests.all == [.reset])
        #expect(chip.readByte(0x32) == 3)
    }

    @Test("a command takes back one that waits for its byte")
    func interrupted() {
        chip.writeByte(0x60, 4)
        command(0xAE, 0x55)
        #expect(chip.state.memory[0] == 0x04)
    }

    @Test(
        "what is not there changes nothing",
        arguments: [(1, .byte), (5, .byte), (0x31, .byte), (0x33, .byte), (4, .half), (0, .word), (.max, .byte)]
            as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        let before = chip.state
        chip.write(0xFE, at: offset, width: width)
        #expect(chip.read(at: offset, width: width) == 0)
        #expect(chip.state == before)
        #expect(chip.takeWork() == nil)
    }

    @Test("reset opens A20 again")
    func reset() {
        command(0xDD)
        chip.writeByte(0xFE, 4)
        chip.reset()
        chip.performWork()
        #expect(gates.all == [false, true])
        #expect(requests.all.isEmpty)
    }
}

@Suite("Debug exit and POST port")
struct DebugExitTests {
    let requests = Recorder<MachineRequest>()

    @Test(
        "a value ends the machine with twice it and one",
        arguments: [(0, 1), (1, 3), (0x10, 33), (0x7F, 255), (0x80, 1), (0xFFFF_FFFF, 255)] as [(UInt64, Int32)])
    func exits(value: UInt64, code: Int32) {
        let requests = requests
        let port = DebugExit { requests.record($0) }
        port.writeWord(value, 0)
        port.performWork()
        port.performWork()
        #expect(requests.all == [.powerOff(code: code)])
        #expect(port.readWord(0) == 0)
    }

    @Test("outside of its ports nothing happens, and reset takes the wish back")
    func nothing() {
        let requests = requests
        let port = DebugExit { requests.record($0) }
        port.writeByte(1, 4)
        #expect(port.takeWork() == nil)
        port.writeByte(1, 3)
        port.reset()
        #expect(port.takeWork() == nil)
    }

    @Test("the POST port shows the last code")
    func code() {
        let port = POSTPort()
        port.writeByte(0xA5, 0)
        port.writeByte(0x11, 1)
        #expect(port.readByte(0) == 0xA5)
        #expect(port.readByte(1) == 0)
        port.reset()
        #expect(port.code == 0)
    }
}

@Suite("PCI configuration ports")
struct PCIConfigurationPortsTests {
    let ports = PCIConfigurationPorts()

    @Test("the address keeps its bits, and is written as a word alone")
    func address() {
        #expect(!ports.write(0xFFFF_FFFF, at: 0, width: .word))
        #expect(ports.read(at: 0, width: .word) == 0x80FF_FFFC)
        #expect(!ports.write(0, at: 0, width: .half))
        #expect(!ports.write(0, at: 0, width: .byte))
        #expect(ports.read(at: 0, width: .word) == 0x80FF_FFFC)
        #expect(ports.read(at: 0, width: .half) == 0xFFFF)
    }

    @Test(
        "an enabled address names bus, device, function and register",
        arguments: [
            (0x8000_0000, 4, .word, 0, 0, 0, 0), (0x8000_F83C, 5, .byte, 0, 31, 0, 0x3D),
            (0x80AB_1410, 6, .half, 0xAB, 2, 4, 0x12), (0x8000_07FC, 4, .word, 0, 0, 7, 0xFC),
        ] as [(UInt64, UInt64, AccessWidth, UInt8, UInt8, UInt8, Int)])
    func targets(
        address: UInt64, offset: UInt64, width: AccessWidth, bus: UInt8, device: UInt8, function: UInt8, register: Int
    ) {
        _ = ports.write(address, at: 0, width: .word)
        let target = ports.target(at: offset, width: width)
        #expect(target?.function == PCIAddress(bus: bus, device: device, function: function))
        #expect(target?.register == register)
    }

    @Test(
        "what is no register of a function has no target",
        arguments: [
            (0x0000_0000, 4, .word), (0x8000_0000, 0, .word), (0x8000_0000, 8, .byte), (0x8000_0000, 6, .word),
            (0x8000_0000, 7, .half), (0x8000_0000, 4, .double),
        ]
            as [(UInt64, UInt64, AccessWidth)])
    func noTarget(address: UInt64, offset: UInt64, width: AccessWidth) {
        _ = ports.write(address, at: 0, width: .word)
        #expect(ports.target(at: offset, width: width) == nil)
    }

    @Test(
        "a rise of bit 2 of the reset control resets",
        arguments: [(0x06, true), (0x0E, true), (0x04, true), (0x02, false), (0xF1, false)] as [(UInt64, Bool)])
    func resets(value: UInt64, isReset: Bool) {
        #expect(ports.write(value, at: 1, width: .byte) == isReset)
        #expect(!ports.write(value, at: 1, width: .byte))
        #expect(ports.read(at: 1, width: .byte) == value & 0x0E)
        ports.reset()
        #expect(ports.read(at: 1, width: .byte) == 0)
        #expect(ports.read(at: 0, width: .word) == 0)
    }
}

@Suite("Test devices of a PC")
struct PCTestDeviceTests {
    @Test(
        "the data ports keep the last value",
        arguments: [(.byte, 0x99), (.half, 0x9999), (.word, 0x1234_5678)] as [(AccessWidth, UInt64)])
    func data(width: AccessWidth, value: UInt64) {
        let ports = PCTestDevice.Ports()
        ports.write(value, at: 0, width: width)
        #expect(ports.read(at: 0, width: width) == value)
        #expect(ports.readByte(0) & 0xFF == value & 0xFF)
        ports.writeWord(0x1000, 4)
        #expect(ports.read(at: 0, width: width) == value)
        #expect(ports.readWord(4) == 0)
    }

    @Test("a wire is up unless zero is written", arguments: [0, 14, 23] as [UInt64])
    func wires(number: UInt64) {
        let wires = PCTestDevice.Wires()
        wires.writeByte(1, number)
        #expect(wires.interruptLevels == 1 << number)
        wires.writeByte(0, number)
        #expect(wires.interruptLevels == 0)
        wires.writeByte(1, 24)
        #expect(wires.interruptLevels == 0)
    }

    @Test("the memory keeps what is written at any width, up to its end", arguments: AccessWidth.allCases)
    func memory(width: AccessWidth) {
        let memory = PCTestDevice.Memory()
        memory.write(0x1122_3344_5566_7788 & width.mask, at: 0x123, width: width)
        #expect(memory.read(at: 0x123, width: width) == 0x1122_3344_5566_7788 & width.mask)
        memory.write(width.mask, at: 0xFFFF, width: width)
        #expect(memory.read(at: 0xFFFF, width: width) == 0xFF)
        #expect(memory.read(at: .max - 16, width: width) == 0)
    }

    /// Places the function and answers the address of its base address.
    private func plug(_ bar: Int, _ bus: MockPCIBus) -> UInt64 {
        bus.plug(PCITestDevice(), device: 3)
        let base: UInt64 = bar == 0 ? 0x4000_0000 : 0xC000
        bus.writeConfiguration(base, 3, PCIRegister.bar0 + 4 * bar)
        bus.writeConfiguration(7, 3, PCIRegister.command, .half)
        return base
    }

    @Test(
        "a test counts its writes of the right width, place and value",
        arguments: [(0, 0, 0xFA), (0, 1, 0x11), (0, 2, 0xFA), (1, 0, 0xFA), (1, 1, 0x11), (1, 2, 0xFA)]
            as [(Int, UInt64, UInt64)])
    func counts(bar: Int, test: UInt64, value: UInt64) {
        let bus = MockPCIBus()
        let base = plug(bar, bus)
        let space: PCISpace = bar == 0 ? .memory : .io
        bus.write(test, base, .byte, in: space)
        #expect(bus.read(base + 1, .byte, in: space) == 1)
        #expect(bus.read(base + 8, .word, in: space) == 0xFA)
        let place = bus.read(base + 4, .word, in: space)
        (0..<16).forEach { _ in bus.write(value, base + place, .byte, in: space) }
        bus.write(0xFA, base + place, .half, in: space)
        #expect(bus.read(base + 12, .word, in: space) == 16)
        bus.write(test, base, .byte, in: space)
        #expect(bus.read(base + 12, .word, in: space) == 0)
    }

    @Test("the last test counts its own value alone")
    func dataMatch() {
        let bus = MockPCIBus()
        let base = plug(0, bus)
        bus.write(2, base, .byte)
        bus.write(0x11, base + bus.read(base + 4, .word), .byte)
        #expect(bus.read(base + 12, .word) == 0)
    }

    @Test(
        "a test has a name",
        arguments: [(0, "mmio:no-eventfd"), (1, "mmio:wildcard-eventfd"), (2, "mmio:datamatch-eventfd")]
            as [(UInt64, String)])
    func names(test: UInt64, name: String) {
        let bus = MockPCIBus()
        let base = plug(0, bus)
        bus.write(test, base, .byte)
        let bytes = (0...name.utf8.count).map { UInt8(bus.read(base + 16 + UInt64($0), .byte)) }
        #expect(bytes == Array(name.utf8) + [0])
    }

    @Test("a test that there is not has no width")
    func noTest() {
        let bus = MockPCIBus()
        let base = plug(0, bus)
        bus.write(3, base, .byte)
        #expect(bus.read(base + 1, .byte) == 0)
        #expect(bus.readConfiguration(3, 0) == 0x0005_1B36)
    }
}
