// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing
import VMMemory

/// A little guest memory.
final class SmallMemory {
    private let bytes = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 4096)
    let memory: GuestMemory

    init() {
        bytes.initializeMemory(as: UInt8.self, repeating: 0xCC, count: 8192)
        memory = GuestMemory(regions: [MemoryRegion(base: GuestAddress(0x1000), size: 8192, host: bytes)])
    }

    deinit { bytes.deallocate() }

    func read(_ address: UInt64, _ count: Int) -> [UInt8] {
        memory.bytes(at: GuestAddress(address), count: count) ?? []
    }
    func write(_ values: [UInt8], _ address: UInt64) { _ = memory.write(values, at: GuestAddress(address)) }
}

@Suite("Firmware configuration")
struct FirmwareConfigurationTests {
    let ram = SmallMemory()
    let chip: FirmwareConfiguration

    init() {
        chip = FirmwareConfiguration(
            items: [FirmwareConfiguration.Item.processors: [4, 0]],
            files: [
                .init(name: "etc/second", content: [9, 8, 7]), .init(name: "etc/first", content: Array("first".utf8)),
            ],
            memory: ram.memory)
    }

    private func select(_ item: UInt64) { chip.write(item, at: 0, width: .half) }
    private func read(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(chip.readByte(1)) } }
    private func bigEndian(_ value: UInt64, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    /// A transfer described at 0x1100; its control afterwards.
    private func transfer(_ control: UInt64, length: UInt64, to address: UInt64, at place: UInt64 = 0x1100) -> [UInt8] {
        ram.write(bigEndian(control, 4) + bigEndian(length, 4) + bigEndian(address, 8), place)
        chip.writeWord(UInt64(UInt32(truncatingIfNeeded: place >> 32).byteSwapped), 4)
        chip.writeWord(UInt64(UInt32(truncatingIfNeeded: place).byteSwapped), 8)
        return ram.read(place, 4)
    }

    @Test(
        "items by their number, zeros past their end",
        arguments: [
            (0, [0x51, 0x45, 0x4D, 0x55, 0]), (1, [3, 0, 0, 0, 0]), (5, [4, 0, 0, 0, 0]), (0x4005, [4, 0, 0, 0, 0]),
            (0x7777, [0, 0, 0, 0, 0]),
        ]
            as [(UInt64, [UInt8])])
    func items(number: UInt64, bytes: [UInt8]) {
        select(number)
        #expect(read(5) == bytes)
        select(number)
        #expect(read(1) == Array(bytes.prefix(1)))
    }

    @Test("the directory names the files in order, with size and number")
    func directory() {
        select(0x19)
        #expect(read(4) == [0, 0, 0, 2])
        #expect(read(8) == [0, 0, 0, 5, 0, 0x20, 0, 0])
        #expect(read(56) == Array("etc/first".utf8) + Array(repeating: 0, count: 47))
        #expect(read(8) == [0, 0, 0, 3, 0, 0x21, 0, 0])
        select(0x21)
        #expect(read(4) == [9, 8, 7, 0])
    }

    @Test("the transfer register reads as the signature")
    func signature() {
        #expect(chip.readWord(4) == 0x554D_4551)
        #expect(chip.readWord(8) == 0x4746_4320)
    }

    @Test("a transfer selects and reads, and pads with zeros")
    func reads() {
        #expect(transfer(0x20 << 16 | 0xA, length: 8, to: 0x1800) == [0, 0, 0, 0])
        #expect(ram.read(0x1800, 9) == Array("first".utf8) + [0, 0, 0, 0xCC])
    }

    @Test("a transfer goes on where the last one ended, and skips")
    func continues() {
        select(0x20)
        #expect(transfer(2, length: 1, to: 0x1800) == [0, 0, 0, 0])
        #expect(transfer(4, length: 2, to: 0) == [0, 0, 0, 0])
        #expect(transfer(2, length: 2, to: 0x1801) == [0, 0, 0, 0])
        #expect(ram.read(0x1800, 3) == Array("fst".utf8))
        #expect(read(1) == [0])
    }

    @Test("the guest writes nothing")
    func writes() {
        #expect(transfer(0x20 << 16 | 0x18, length: 1, to: 0x1800) == [0, 0, 0, 1])
        select(0x20)
        chip.writeByte(0xFF, 1)
        #expect(read(1) == [UInt8(ascii: "f")])
    }

    @Test(
        "a target that is no memory is an error, and nothing is written",
        arguments: [(0x2FFF, 2), (0x9000, 1), (0xFFFF_FFFF_FFFF_FFFF, 2), (0x1800, 0xFFFF_FFFF)] as [(UInt64, UInt64)])
    func noMemory(address: UInt64, length: UInt64) {
        #expect(transfer(0x20 << 16 | 0xA, length: length, to: address) == [0, 0, 0, 1])
        #expect(ram.read(0x1800, 1) == [0xCC])
        #expect(ram.read(0x2FFF, 1) == [0xCC])
    }

    @Test("a description outside of memory does nothing", arguments: [0, 0x2FF8, 0xFFFF_FFFF_FFFF_FFF8] as [UInt64])
    func noDescription(place: UInt64) {
        select(0x20)
        _ = transfer(0x2, length: 1, to: 0x1800, at: place)
        #expect(read(1) == [UInt8(ascii: "f")])
    }

    @Test("a transfer of nothing is done", arguments: [0, 2, 4, 0xA] as [UInt64])
    func empty(control: UInt64) {
        #expect(transfer(control, length: 0, to: 0xFFFF_FFFF_0000) == [0, 0, 0, 0])
    }

    @Test(
        "other widths and offsets change nothing",
        arguments: [
            (0, .byte), (0, .word), (1, .half), (4, .byte), (4, .double), (8, .half), (12, .word), (.max, .byte),
        ] as [(UInt64, AccessWidth)])
    func reserved(offset: UInt64, width: AccessWidth) {
        select(5)
        let before = chip.state
        chip.write(0x20, at: offset, width: width)
        #expect(chip.read(at: offset, width: width) == 0)
        #expect(chip.state == before)
    }

    @Test("reset selects the signature again")
    func reset() {
        select(5)
        _ = read(1)
        chip.reset()
        #expect(read(4) == Array("QEMU".utf8))
    }
}
