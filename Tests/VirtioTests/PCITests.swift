// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

@Suite("a device on PCI")
struct PCITests {
    @Test("says that it is a modern virtio device (virtio 1.2 §4.1.2.1)")
    func identity() throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        #expect(registers.readConfiguration(0x00, .word) == 0x1042_1AF4)
        #expect(registers.readConfiguration(0x08, .byte) == 1)
        #expect(registers.readConfiguration(0x2C, .half) == 0x1AF4)
        #expect(registers.readConfiguration(0x2E, .half) >= 0x40)
        #expect(registers.readConfiguration(0x3D, .byte) == 1)
    }

    @Test("has all structures within its base address, aligned as they must be (virtio 1.2 §4.1.4)")
    func structures() throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        #expect(Set(registers.structures.keys) == [1, 2, 3, 4, 5])
        let placed = registers.structures.filter { $0.key != 5 }.values
        #expect(placed.allSatisfy { $0.bar == 0 && $0.offset % 4 == 0 && $0.offset + $0.length <= 0x8000 })
        #expect(registers.structures[1]?.length == 0x38)
        #expect(registers.structures[4]?.length == 60)
    }

    @Test("shows MSI-X where the platform has messages, and only there")
    func messageCapability() throws {
        #expect(try #require(BlockRig(on: .pci).driver.pci).messageCapability == nil)
        #expect(try #require(BlockRig(on: .pciWithMessages).driver.pci).messageCapability != nil)
    }

    @Test("an entropy device has no device configuration to show")
    func noConfiguration() throws {
        #expect(try #require(EntropyRig(on: .pci).driver.pci).structures[4] == nil)
    }

    @Test("reading the ISR status clears it and lets the line go (virtio 1.2 §4.1.4.5)")
    func interruptStatus() throws {
        let rig = BlockRig(on: .pci)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        _ = rig.perform(.flush)
        #expect(rig.board.line)
        #expect(registers.readConfiguration(0x06, .half) & 8 == 8)
        #expect(registers.takeInterruptStatus() == 1)
        #expect(!rig.board.line)
        #expect(registers.takeInterruptStatus() == 0)
        #expect(registers.readConfiguration(0x06, .half) & 8 == 0)
    }

    @Test("the interrupt pin may be disabled, and its cause stays")
    func interruptDisable() throws {
        let rig = BlockRig(on: .pci)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        registers.writeConfiguration(0x406, 0x04, .half)
        _ = rig.perform(.flush)
        #expect(!rig.board.line)
        registers.writeConfiguration(0x006, 0x04, .half)
        #expect(rig.board.line)
    }

    @Test("with MSI-X each queue and the configuration have their message, and the pin is quiet")
    func messages() {
        let rig = BlockRig(on: .pciWithMessages)
        rig.driver.start()
        _ = rig.perform(.flush)
        #expect(rig.board.messages.delivered == [.init(address: 0x1000, data: 1)])
        rig.board.messages.clear()
        rig.disk.content += [UInt8](repeating: 0, count: 512)
        rig.board.perform { rig.device.capacityChanged() }
        #expect(rig.board.messages.delivered == [.init(address: 0x1000, data: 0)])
        #expect(!rig.board.line)
    }

    @Test("a masked vector keeps its message until it is let go")
    func maskedVector() throws {
        let rig = BlockRig(on: .pciWithMessages)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        let capability = try #require(registers.messageCapability)
        let table = registers.readConfiguration(capability + 4, .word) & ~7
        registers.write(1, table + 16 + 12, .word)
        _ = rig.perform(.flush)
        #expect(rig.board.messages.delivered.isEmpty)
        registers.write(0, table + 16 + 12, .word)
        #expect(rig.board.messages.delivered == [.init(address: 0x1000, data: 1)])
    }

    @Test(
        "a vector that does not exist reads back as none (virtio 1.2 §4.1.5.1.2.1)",
        arguments: [UInt64(2), 100, 0xFFFE])
    func noSuchVector(vector: UInt64) throws {
        let rig = BlockRig(on: .pciWithMessages)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        registers.setCommon(vector, 0x10, .half)
        registers.setCommon(0, 0x16, .half)
        registers.setCommon(vector, 0x1A, .half)
        #expect(registers.common(0x10, .half) == 0xFFFF)
        #expect(registers.common(0x1A, .half) == 0xFFFF)
        #expect(rig.perform(.flush)?.status == 0)
        #expect(rig.board.messages.delivered.isEmpty)
    }

    @Test("a reset takes back the driver's vectors and selections")
    func resetSelections() throws {
        let rig = BlockRig(on: .pciWithMessages)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        registers.setCommon(0, 0x16, .half)
        registers.setCommon(1, 0x00, .word)
        #expect(registers.common(0x1A, .half) == 1)
        #expect(registers.common(0x10, .half) == 0)
        #expect(rig.driver.reset())
        #expect(registers.common(0x1A, .half) == 0xFFFF)
        #expect(registers.common(0x10, .half) == 0xFFFF)
        #expect(registers.common(0x00, .word) == 0)
        #expect(registers.common(0x18, .half) == 256)
    }

    @Test("without MSI-X there is no vector at all")
    func noVectors() throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        registers.setCommon(0, 0x10, .half)
        #expect(registers.common(0x10, .half) == 0xFFFF)
    }

    /// Reaches base address 0 through configuration space.
    private func window(_ registers: PCIDriverRegisters, _ offset: UInt64, _ length: UInt64) throws -> Int {
        let capability = try #require(registers.capabilities[5])
        registers.writeConfiguration(0, capability + 4, .byte)
        registers.writeConfiguration(offset, capability + 8, .word)
        registers.writeConfiguration(length, capability + 12, .word)
        return capability + 16
    }

    @Test("configuration space reaches the structures too (virtio 1.2 §4.1.4.9)")
    func windowAccess() throws {
        let rig = BlockRig(on: .pci)
        let registers = try #require(rig.driver.pci)
        let common = try #require(registers.structures[1]).offset
        let device = try #require(registers.structures[4]).offset
        #expect(registers.readConfiguration(try window(registers, device, 4), .word) == 64)
        registers.writeConfiguration(3, try window(registers, common + 0x14, 1), .byte)
        #expect(registers.status == 3)
        registers.writeConfiguration(0, try window(registers, common + 0x14, 1), .byte)
        #expect(registers.status == 0)
    }

    @Test(
        "a window on nothing does nothing",
        arguments: [
            (UInt64(0x14), UInt64(0)), (0x14, 3), (0x14, 8), (0x15, 2), (0x8000, 1), (0xFFFF_FFFC, 4),
            (0x14, 0xFFFF_FFFF),
        ])
    func badWindow(offset: UInt64, length: UInt64) throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        let data = try window(registers, offset, length)
        registers.writeConfiguration(0x0303_0303, data, .word)
        #expect(registers.readConfiguration(data, .word) == 0x0303_0303)
        #expect(registers.status == 0)
    }

    @Test("a system that goes down stops the function by its bus master bit, until the next driver")
    func busMaster() throws {
        let rig = BlockRig(on: .pci)
        let registers = try #require(rig.driver.pci)
        rig.disk.holdsAnswers = true
        rig.driver.start()
        let request = rig.begin(.flush)
        registers.writeConfiguration(0x2, 0x04, .half)
        rig.disk.answerAll()
        #expect(rig.driver.bytes(request.status) == [0xFF])
        registers.writeConfiguration(0x6, 0x04, .half)
        #expect(rig.perform(.flush) == nil)
        rig.disk.holdsAnswers = false
        #expect(rig.driver.reset())
        rig.driver.start()
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("fields answer in their own width, addresses in halves and whole")
    func widths() throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        #expect(registers.common(0x12, .half) == 1)
        #expect(registers.common(0x12, .byte) == 0)
        #expect(registers.common(0x10, .word) == 0)
        registers.setCommon(0x1234_5678_9ABC_DEF0, 0x20, .double)
        #expect(registers.common(0x20, .word) == 0x9ABC_DEF0)
        #expect(registers.common(0x24, .word) == 0x1234_5678)
        #expect(registers.common(0x20, .double) == 0x1234_5678_9ABC_DEF0)
        registers.setCommon(0x1C, 0x1C, .byte)
        #expect(registers.common(0x1C, .half) == 0)
    }

    @Test("writing zero to queue_enable changes nothing (virtio 1.2 §4.1.4.3.2)")
    func queueDisable() throws {
        let rig = BlockRig(on: .pci)
        let registers = try #require(rig.driver.pci)
        rig.driver.start()
        registers.setCommon(0, 0x16, .half)
        registers.setCommon(0, 0x1C, .half)
        #expect(registers.isEnabled(queue: 0))
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("a configuration that changed between two reads shows by its generation, 256 changes later too")
    func generation() {
        let rig = BlockRig(on: .pci)
        let registers = rig.driver.registers
        _ = registers.readConfig(at: 0, width: .word)
        let before = registers.configGeneration
        for _ in 0..<256 { rig.board.perform { rig.device.capacityChanged() } }
        _ = registers.readConfig(at: 4, width: .word)
        #expect(registers.configGeneration != before)
        let after = registers.configGeneration
        _ = registers.readConfig(at: 0, width: .word)
        #expect(registers.configGeneration == after)
    }
}
