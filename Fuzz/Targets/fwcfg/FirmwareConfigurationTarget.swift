// SPDX-License-Identifier: Apache-2.0

import Devices
import FuzzSupport
import MachineCore
import VMMemory

/// A guest that does anything with fw_cfg, beside a model of what must become of its memory.
struct HostileFirmware {
    private static let size = 8192
    private static let items: [UInt16: [UInt8]] = [5: [4, 0], 0x15: Array("console=ttyS0".utf8)]
    private static let files: [FirmwareConfiguration.File] = [
        .init(name: "etc/e820", content: (0..<100).map { UInt8($0) }),
        .init(name: "etc/table", content: Array(repeating: 0x5A, count: 3000)),
    ]

    private var input: FuzzInput
    private let memory: GuestMemory
    private let chip: FirmwareConfiguration
    /// What the guest's memory has to hold.
    private var expected = [UInt8](repeating: 0, count: size)
    private var selected: UInt16 = 0
    private var offset = 0

    init(_ input: FuzzInput, memory: GuestMemory) {
        self.input = input
        self.memory = memory
        chip = FirmwareConfiguration(items: Self.items, files: Self.files, memory: memory)
    }

    /// Plays the input to its end.
    mutating func run() {
        while !input.isEmpty { step() }
        require(memory.bytes(at: GuardedMemory.base, count: Self.size) == expected, "memory is not what it must be")
    }

    private mutating func step() {
        switch input.byte() % 4 {
        case 0: select(input.integer())
        case 1: for _ in 0..<input.byte() { readByte() }
        case 2: transfer()
        default: stray()
        }
    }

    private var item: [UInt8]? {
        switch selected {
        case 0: Array("QEMU".utf8)
        case 1: [3, 0, 0, 0]
        // The directory is the chip's own work: its tests say what is in it.
        case 0x19: nil
        case 0x20, 0x21: Self.files[Int(selected) - 0x20].content
        default: Self.items[selected] ?? []
        }
    }

    private mutating func select(_ number: UInt16) {
        // The model does not know the directory.
        guard number & 0x3FFF != 0x19 else { return }
        chip.write(UInt64(number), at: 0, width: .half)
        note(number)
    }

    private mutating func note(_ number: UInt16) {
        selected = number & 0x3FFF
        offset = 0
    }

    private mutating func readByte() {
        guard let item else { return }
        let byte = chip.read(at: 1, width: .byte)
        require(byte == (offset < item.count ? UInt64(item[offset]) : 0), "item \(selected) is wrong at \(offset)")
        offset = min(offset + 1, item.count)
    }

    /// What is no register changes nothing: the memory is looked at when all is over.
    private mutating func stray() {
        let width = AccessWidth.allCases[Int(input.byte() % 4)]
        let place = UInt64(input.byte()) + 12
        chip.write(input.integer() & width.mask, at: place, width: width)
        require(chip.read(at: place, width: width) == 0, "something answers at \(place)")
    }

    private mutating func transfer() {
        let place = GuardedMemory.base.value &+ UInt64(input.integer(UInt16.self) % 8320) &- 64
        var control = input.integer(UInt32.self)
        if control >> 16 & 0x3FFF == 0x19 { control &= 0xFFFF }
        let length = input.byte() & 1 == 0 ? UInt32(input.integer(UInt16.self)) : input.integer(UInt32.self)
        let isNear = input.byte() & 7 != 0
        let near = GuardedMemory.base.value &+ UInt64(input.integer(UInt16.self) % 8320) &- 64
        let address = isNear ? near : input.integer(UInt64.self)
        let description = bigEndian(control) + bigEndian(length) + bigEndian(address)
        if memory.write(description, at: GuestAddress(place)) { put(description, place) }
        chip.write(UInt64(UInt32(truncatingIfNeeded: place >> 32).byteSwapped), at: 4, width: .word)
        chip.write(UInt64(UInt32(truncatingIfNeeded: place).byteSwapped), at: 8, width: .word)
        guard contains(place, 16) else { return }
        let isDone = perform(control, Int(length), address, description: place)
        put(bigEndian(UInt32(isDone ? 0 : 1)), place)
    }

    private mutating func perform(_ control: UInt32, _ length: Int, _ address: UInt64, description: UInt64) -> Bool {
        if control & 8 != 0 { note(UInt16(truncatingIfNeeded: control >> 16)) }
        guard let item else { return false }
        let taken = min(length, item.count - offset)
        if control & 2 != 0 {
            guard length == 0 || contains(address, UInt64(length)) else { return false }
            put(Array(item[offset..<offset + taken]) + Array(repeating: 0, count: length - taken), address)
            let overlaps = address < description &+ 16 && description < address &+ UInt64(length)
            plantedBug(overlaps && taken > 0 && taken < length)
        } else if control & 0x10 != 0 {
            return false
        } else if control & 4 == 0 {
            return true
        }
        offset += taken
        return true
    }

    private func contains(_ address: UInt64, _ count: UInt64) -> Bool {
        let start = address &- GuardedMemory.base.value
        return start < UInt64(Self.size) && count <= UInt64(Self.size) - start
    }

    private mutating func put(_ bytes: [UInt8], _ address: UInt64) {
        guard !bytes.isEmpty else { return }
        let start = Int(address - GuardedMemory.base.value)
        expected.replaceSubrange(start..<start + bytes.count, with: bytes)
    }

    private func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

private let ram = GuardedMemory(size: 8192)

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var guest = HostileFirmware(FuzzInput(start, count), memory: ram.fresh())
    guest.run()
    return 0
}
