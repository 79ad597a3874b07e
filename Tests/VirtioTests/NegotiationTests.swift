// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("negotiation")
struct NegotiationTests {
    typealias Status = MockDriver.Status

    @Test("a driver finds the device by its type", arguments: MockBoard.Transport.allCases)
    func identity(transport: MockBoard.Transport) {
        #expect(BlockRig(on: transport).driver.registers.deviceID == 2)
    }

    @Test(
        "a feature that was not offered is refused", arguments: MockBoard.Transport.allCases, [UInt64(0), 24, 33, 63])
    func unknownFeature(transport: MockBoard.Transport, bit: UInt64) {
        let rig = BlockRig(on: transport)
        let registers = rig.driver.registers
        registers.status = Status.acknowledge | Status.driver
        registers.writeDriverFeatures(registers.readDeviceFeatures() | 1 << bit)
        registers.status |= Status.featuresOK
        #expect(registers.status == Status.acknowledge | Status.driver)
    }

    @Test("a driver may ask for less after it was refused")
    func secondTry() {
        let rig = BlockRig()
        let registers = rig.driver.registers
        registers.status = Status.acknowledge | Status.driver
        registers.writeDriverFeatures(.max)
        registers.status |= Status.featuresOK
        #expect(registers.status & Status.featuresOK == 0)
        #expect(rig.driver.start())
    }

    @Test(
        "on PCI a driver must know the standard, on MMIO it need not (virtio 1.2 §6.2)",
        arguments: MockBoard.Transport.allCases)
    func version1(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        #expect(rig.driver.start(accepting: ~MockDriver.version1) == (transport == .mmio))
    }

    @Test("settled features stay", arguments: MockBoard.Transport.allCases)
    func settled(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.start(accepting: MockDriver.version1)
        rig.driver.registers.writeDriverFeatures(.max)
        #expect(rig.device.core.driverFeatures.rawValue == MockDriver.version1)
    }

    @Test("a status bit is cleared only by a reset", arguments: MockBoard.Transport.allCases)
    func bitsStay(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        rig.driver.registers.status = Status.acknowledge
        #expect(rig.driver.registers.status == 15)
        #expect(rig.driver.reset())
    }

    @Test("the driver cannot set NEEDS_RESET")
    func needsResetIsTheDevices() {
        let rig = BlockRig()
        rig.driver.start()
        rig.driver.registers.status = 0x7F
        #expect(!rig.driver.needsReset)
    }

    @Test("nothing runs before DRIVER_OK, and all that waits runs then", arguments: MockBoard.Transport.allCases)
    func driverOK(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.negotiate()
        let queue = rig.driver.makeQueue(0)
        let status = rig.driver.segment([0xFF])
        queue.add(readable: [rig.driver.segment(BlockRig.header(4, sector: 0))], writable: [status])
        queue.publish()
        rig.driver.registers.notify(queue: 0)
        #expect(queue.popUsed() == nil)
        rig.driver.registers.status |= Status.driverOK
        #expect(queue.popUsed()?.length == 1)
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("DRIVER_OK without settled features starts nothing", arguments: MockBoard.Transport.allCases)
    func unsettled(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.registers.status = Status.acknowledge | Status.driver | Status.driverOK
        #expect(rig.driver.registers.status == Status.acknowledge | Status.driver)
        #expect(!rig.device.core.isRunning)
    }

    @Test("a driver that gave up is left alone", arguments: MockBoard.Transport.allCases)
    func failed(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        rig.driver.registers.status |= Status.failed
        #expect(rig.perform(.flush) == nil)
    }

    @Test("power-on reset of the board forgets all", arguments: MockBoard.Transport.allCases)
    func boardReset(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        rig.board.reset()
        #expect(rig.driver.registers.status == 0)
        #expect(!rig.driver.registers.isEnabled(queue: 0))
        rig.driver.start()
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("the register sequence of xv6-riscv's disk driver works as it stands")
    func xv6() throws {
        let rig = BlockRig()
        let registers = try #require(rig.driver.mmio)
        // It checks these four, the vendor included.
        #expect(registers[0x00] == 0x7472_6976)
        #expect(registers[0x04] == 2)
        #expect(registers[0x08] == 2)
        #expect(registers[0x0C] == 0x554D_4551)
        registers[0x70] = 0
        registers[0x70] = 1
        registers[0x70] = 3
        // It selects no word of the features, and takes what it does not know.
        let refused: [UInt32] = [5, 7, 11, 12, 27, 28, 29]
        registers[0x20] = refused.reduce(registers[0x10]) { $0 & ~(1 << $1) }
        registers[0x70] = 11
        #expect(registers[0x70] == 11)
        registers[0x30] = 0
        #expect(registers[0x44] == 0)
        #expect(registers[0x34] >= 8)
        let queue = MockQueue(0, size: 8, ram: rig.ram, registers: registers, usesEventIndex: false)
        registers.place(queue: 0, size: 8, descriptors: queue.descriptors, driver: queue.available, device: queue.used)
        registers[0x44] = 1
        registers[0x70] = 15

        let data = rig.driver.segment([UInt8](repeating: 7, count: 1024))
        let status = rig.driver.segment([0xFF])
        queue.add(readable: [rig.driver.segment(BlockRig.header(1, sector: 2)), data], writable: [status])
        #expect(queue.kick())
        #expect(rig.board.line)
        registers[0x64] = registers[0x60] & 3
        #expect(!rig.board.line)
        #expect(queue.popUsed() != nil)
        #expect(rig.driver.bytes(status) == [0])
        #expect(Array(rig.disk.content[1024..<2048]) == rig.driver.bytes(data))
    }

    @Test(
        "registers take whole words only, and what is reserved reads as zero",
        arguments: [AccessWidth.byte, .half, .double])
    func widths(width: AccessWidth) throws {
        let rig = BlockRig()
        let registers = try #require(rig.driver.mmio)
        #expect(registers.read(0, width) == 0)
        #expect(registers.read(2, .word) == 0)
        #expect(registers.read(0x18, .word) == 0)
        registers.write(15, 0x70, width)
        #expect(registers[0x70] == 0)
    }

    @Test("an empty slot has a magic value and no device")
    func emptySlot() {
        let slot = EmptyMMIOSlot()
        #expect(slot.read(at: 0, width: .word) == 0x7472_6976)
        #expect(slot.read(at: 4, width: .word) == 2)
        #expect(slot.read(at: 8, width: .word) == 0)
        slot.write(15, at: 0x70, width: .word)
        #expect(slot.read(at: 0x70, width: .word) == 0)
    }

    @Test("there is no shared memory")
    func sharedMemory() throws {
        let registers = try #require(BlockRig().driver.mmio)
        #expect([0xB0, 0xB4, 0xB8, 0xBC].allSatisfy { registers[$0] == .max })
    }
}
