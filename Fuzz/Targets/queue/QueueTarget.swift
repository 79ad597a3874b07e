// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import VMMemory
import Virtio

/// A driver that may do anything: it writes registers, memory, rings and descriptors as the input says, with a disk or
/// an entropy source behind the queue whose answers come at any time, across resets too.
struct HostileDriver {
    private static let memory = GuardedMemory(size: 64 << 10)
    /// Where the input's well-formed rings lie; it may also put others anywhere.
    private static let descriptors = GuardedMemory.base
    private static let available = GuardedMemory.base + 0x2000
    private static let used = GuardedMemory.base + 0x3000

    private var input: FuzzInput
    private let memory = memory.fresh()
    private let transport: MMIOTransport
    private let disk: PendingDisk
    private let block: BlockDevice?
    private var availableIndex: UInt16 = 0

    init(_ input: FuzzInput) {
        self.input = input
        let kind = self.input.byte()
        disk = PendingDisk(memory: memory, isReadOnly: kind & 2 != 0)
        let device: any VirtioDevice
        if kind & 1 == 0 {
            let block = BlockDevice(memory: memory, backend: disk)
            device = block
            self.block = block
        } else {
            device = EntropyDevice(memory: memory, source: CountingSource())
            block = nil
        }
        transport = MMIOTransport(device: device)
    }

    /// Plays the input to its end.
    mutating func run() {
        while !input.isEmpty { step() }
        // Every request is answered in the end: nothing may be left over, and nothing may be lost.
        while !disk.pending.isEmpty { answer(0, .done) }
        transport.takeWork()?()
        while !disk.pending.isEmpty { answer(0, .done) }
        let slots = transport.device.core.requestsUnderWay
        require(slots == 0 || block == nil, "\(slots) requests are under way that the backend has answered")
    }

    private mutating func step() {
        switch input.byte() & 15 {
        case 0: transport.write(UInt64(input.integer(UInt32.self)), at: UInt64(input.byte()) & ~3, width: .word)
        case 1: _ = transport.read(at: UInt64(input.byte()) & ~3, width: .word)
        case 2: accessAnywhere()
        case 3: writeMemory()
        case 4: setUp()
        case 5: writeDescriptor()
        case 6: makeAvailable(input.byte(), notify: true)
        case 7: makeAvailable(input.byte(), notify: false)
        case 8: transport.write(UInt64(input.byte()), at: 0x50, width: .word)
        case 9: transport.takeWork()?()
        case 10: answer(Int(input.byte()), .done)
        case 11: answer(Int(input.byte()), .failed)
        case 12: transport.reset()
        case 13: memory.store(input.integer(UInt16.self), at: Self.available + 2)
        case 14: writeHeader()
        default: transport.write(0, at: 0x70, width: .word)
        }
        _ = transport.interruptLevels
    }

    private mutating func accessAnywhere() {
        let width = AccessWidth.allCases[Int(input.byte() & 3)]
        let offset = UInt64(input.integer(UInt16.self) & 0xFFF)
        let value = input.integer(UInt64.self)
        if value & 1 == 0 { _ = transport.read(at: offset, width: width) }
        transport.write(value & width.mask, at: offset, width: width)
    }

    private mutating func writeMemory() {
        let address = GuardedMemory.base + UInt64(input.integer(UInt16.self))
        let bytes = input.bytes(Int(input.byte()))
        _ = bytes.withUnsafeBytes { memory.write($0, at: address) }
    }

    /// The driver's part of initialization (virtio 1.2 §3.1.1), with the features and the queue size of the input.
    private mutating func setUp() {
        let features = input.integer(UInt32.self)
        let size = UInt64(1) << UInt64(input.byte() & 15)
        let places: [(offset: UInt64, address: GuestAddress)] = [
            (0x80, Self.descriptors), (0x90, Self.available), (0xA0, Self.used),
        ]
        transport.write(0, at: 0x70, width: .word)
        transport.write(3, at: 0x70, width: .word)
        transport.write(UInt64(features) & transport.read(at: 0x10, width: .word), at: 0x20, width: .word)
        transport.write(1, at: 0x24, width: .word)
        transport.write(1, at: 0x20, width: .word)
        transport.write(0xB, at: 0x70, width: .word)
        transport.write(size, at: 0x38, width: .word)
        for place in places {
            transport.write(place.address.value & 0xFFFF_FFFF, at: place.offset, width: .word)
            transport.write(place.address.value >> 32, at: place.offset + 4, width: .word)
        }
        transport.write(1, at: 0x44, width: .word)
        transport.write(0xF, at: 0x70, width: .word)
        memory.store(UInt16(0), at: Self.available + 2)
        availableIndex = 0
    }

    /// A descriptor of the well-formed table, or of an indirect one at 0x1000: address, length, flags, next.
    private mutating func writeDescriptor() {
        let index = UInt64(input.byte())
        let table = index & 0x80 == 0 ? Self.descriptors : GuardedMemory.base + 0x1000
        let entry = table + (index & 0x7F) * 16
        let address = GuardedMemory.base + UInt64(input.integer(UInt16.self))
        // Mostly plausible lengths; the last byte makes them huge.
        let length = UInt32(input.integer(UInt16.self)) | UInt32(input.byte() & 0xC0) << 24
        memory.store(address.value, at: entry)
        memory.store(length, at: entry + 8)
        memory.store(UInt16(input.byte() & 7), at: entry + 12)
        memory.store(UInt16(input.byte()), at: entry + 14)
    }

    private mutating func makeAvailable(_ head: UInt8, notify: Bool) {
        let size = UInt16(truncatingIfNeeded: transport.device.core.queues[0].layout.size)
        guard size > 0 else { return }
        memory.store(UInt16(head), at: Self.available + 4 + 2 * UInt64(availableIndex % size))
        availableIndex &+= 1
        memory.store(availableIndex, at: Self.available + 2)
        if notify { transport.write(0, at: 0x50, width: .word) }
    }

    /// A block request's header (virtio 1.2 §5.2.6): type, reserved, sector.
    private mutating func writeHeader() {
        let address = GuardedMemory.base + UInt64(input.integer(UInt16.self))
        memory.store(UInt32(input.byte() & 15), at: address)
        memory.store(UInt64(input.integer(UInt16.self)), at: address + 8)
    }

    /// The backend answers the oldest request but `index`.
    private func answer(_ index: Int, _ result: BlockResult) {
        guard let block, !disk.pending.isEmpty else { return }
        let request = disk.pending.remove(at: index % disk.pending.count)
        disk.perform(request.operation)
        block.complete(request.token, result)
        block.takeWork()?()
    }
}

/// The harness for libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQueue(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var driver = HostileDriver(FuzzInput(start, count))
    driver.run()
    return 0
}
