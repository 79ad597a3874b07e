// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import VMMemory
import Virtio

/// A driver that may do anything: it writes registers, memory, rings and descriptors of any device as the input says,
/// while the device's backend answers at any time, across resets too.
struct HostileDriver {
    private static let memory = GuardedMemory(size: 128 << 10)
    /// Where the first queue's well-formed rings lie; the input may also put others anywhere.
    private static let rings = Rings(start: GuardedMemory.base)

    /// A queue's three parts, and how far its driver has come.
    private struct Rings {
        let descriptors: GuestAddress
        let available: GuestAddress
        let used: GuestAddress
        var next: UInt16 = 0

        init(start: GuestAddress) {
            descriptors = start
            available = start + 0x2000
            used = start + 0x3000
        }
    }

    private var input: FuzzInput
    private let memory = memory.fresh()
    private let subject: DeviceUnderTest
    private let transport: MMIOTransport
    /// One entry a queue, of the first few.
    private var queues: [Rings]
    private var selected = 0

    init(_ input: FuzzInput) {
        self.input = input
        subject = DeviceUnderTest(kind: self.input.byte(), memory: memory)
        transport = MMIOTransport(device: subject.device)
        // The first queue shares the lower half with buffers; others have a part of the upper one.
        let others = subject.device.core.queues.indices.dropFirst().prefix(4)
        queues = [Self.rings] + others.map { Rings(start: GuardedMemory.base + 0xC000 + UInt64($0) * 0x4000) }
    }

    /// Plays the input to its end.
    mutating func run() {
        while !input.isEmpty { step() }
        subject.settle()
    }

    private mutating func step() {
        switch input.byte() % 20 {
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
        case 10: subject.answer(Int(input.byte()), .done)
        case 11: subject.answer(Int(input.byte()), .failed)
        case 12: transport.reset()
        case 13: memory.store(input.integer(UInt16.self), at: queues[selected].available + 2)
        case 14: writeHeader()
        case 16: selected = Int(input.byte()) % queues.count
        case 17: subject.deliver(input.bytes(Int(input.byte())), to: input.byte())
        case 18: subject.change(input.byte())
        case 19: request()
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
        transport.write(0, at: 0x70, width: .word)
        transport.write(3, at: 0x70, width: .word)
        transport.write(UInt64(features) & transport.read(at: 0x10, width: .word), at: 0x20, width: .word)
        transport.write(1, at: 0x24, width: .word)
        transport.write(1, at: 0x20, width: .word)
        transport.write(0xB, at: 0x70, width: .word)
        for index in queues.indices { enable(index, size: size) }
        transport.write(0xF, at: 0x70, width: .word)
    }

    private mutating func enable(_ index: Int, size: UInt64) {
        transport.write(UInt64(index), at: 0x30, width: .word)
        transport.write(size, at: 0x38, width: .word)
        let rings = queues[index]
        for (offset, address) in [(0x80, rings.descriptors), (0x90, rings.available), (0xA0, rings.used)] {
            transport.write(address.value & 0xFFFF_FFFF, at: UInt64(offset), width: .word)
            transport.write(address.value >> 32, at: UInt64(offset) + 4, width: .word)
        }
        memory.store(UInt16(0), at: rings.available + 2)
        queues[index].next = 0
        transport.write(1, at: 0x44, width: .word)
    }

    /// A descriptor of the well-formed table, or of an indirect one at 0x1000: address, length, flags, next.
    private mutating func writeDescriptor() {
        let index = UInt64(input.byte())
        let table = index & 0x80 == 0 ? queues[selected].descriptors : GuardedMemory.base + 0x1000
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
        let size = UInt16(truncatingIfNeeded: transport.device.core.queues[selected].layout.size)
        guard size > 0 else { return }
        let ring = queues[selected].available
        memory.store(UInt16(head), at: ring + 4 + 2 * UInt64(queues[selected].next % size))
        queues[selected].next &+= 1
        memory.store(queues[selected].next, at: ring + 2)
        if notify { transport.write(UInt64(selected), at: 0x50, width: .word) }
    }

    /// A well-formed block request in a descriptor chain (virtio 1.2 §5.2.6): type, sector, segments of a sector each.
    private mutating func request() {
        let (kind, sector, segments) = (input.byte() & 15, input.byte(), UInt64(input.byte() & 7))
        let (start, header) = (UInt64(queues[selected].next & 7) * 10, GuardedMemory.base + 0x4000)
        memory.store(UInt32(kind), at: header)
        memory.store(UInt64(sector), at: header + 8)
        let parts =
            [(header, UInt32(16), UInt16(0))]
            + (0..<segments).map { (GuardedMemory.base + 0x5000 + $0 * 512, UInt32(512), UInt16(kind == 0 ? 2 : 0)) }
            + [(GuardedMemory.base + 0x6000, UInt32(1), UInt16(2))]
        for (index, (address, count, flags)) in parts.enumerated() {
            let entry = queues[selected].descriptors + (start + UInt64(index)) * 16
            memory.store(address.value, at: entry)
            memory.store(count, at: entry + 8)
            memory.store(flags | (index < parts.count - 1 ? 1 : 0), at: entry + 12)
            memory.store(UInt16(start) + UInt16(index) + 1, at: entry + 14)
        }
        makeAvailable(UInt8(start), notify: true)
    }

    /// A block request's header (virtio 1.2 §5.2.6): type, reserved, sector.
    private mutating func writeHeader() {
        let address = GuardedMemory.base + UInt64(input.integer(UInt16.self))
        memory.store(UInt32(input.byte() & 15), at: address)
        memory.store(UInt64(input.integer(UInt16.self)), at: address + 8)
    }
}

/// The harness for libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQueue(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var driver = HostileDriver(FuzzInput(start, count))
    driver.run()
    return 0
}
