// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory
import Virtio
import VirtioMock

/// What a hostile driver does to a running block device's queue of 8 descriptors before it notifies.
struct Malice: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: QueueFault
    var accepting: UInt64 = .max
    let act: @Sendable (BlockRig) -> Void

    init(
        _ name: String, _ fault: QueueFault, accepting: UInt64 = .max, _ act: @escaping @Sendable (BlockRig) -> Void
    ) {
        testDescription = name
        self.fault = fault
        self.accepting = accepting
        self.act = act
    }

    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4

    /// A chain of one descriptor.
    static func single(_ rig: BlockRig, _ segment: MemorySegment, flags: UInt16 = 0, next: UInt16 = 0) {
        rig.queue.setDescriptor(0, segment, flags: flags, next: next)
        rig.queue.makeAvailable(0)
    }

    /// An indirect table of `count` descriptors, each `flags` and on to the next, `last` behind.
    static func table(
        _ rig: BlockRig, _ count: UInt16, flags: UInt16 = next, last: UInt16 = 0, lastNext: UInt16 = 0
    ) -> MemorySegment {
        let table = rig.driver.segment(UInt64(count) * 16)
        let byte = rig.driver.segment(1)
        for number in 0..<count {
            let isLast = number == count - 1
            rig.queue.setDescriptor(
                number, byte, flags: isLast ? last : flags, next: isLast ? lastNext : number + 1, table: table.address)
        }
        return table
    }

    static let all: [Malice] = [
        Malice("a descriptor that points to itself", .chainTooLong) {
            single($0, $0.driver.segment(16), flags: next, next: 0)
        },
        Malice("a loop through the whole table", .chainTooLong) { rig in
            for number in UInt16(0)..<8 {
                rig.queue.setDescriptor(number, rig.driver.segment(16), flags: next, next: (number + 1) % 8)
            }
            rig.queue.makeAvailable(3)
        },
        Malice("a head outside of the table", .descriptorOutOfRange) { $0.queue.makeAvailable(8) },
        Malice("the last head there is", .descriptorOutOfRange) { $0.queue.makeAvailable(.max) },
        Malice("a next outside of the table", .descriptorOutOfRange) {
            single($0, $0.driver.segment(16), flags: next, next: 0xFFFF)
        },
        Malice("a buffer that runs over the end of memory", .bufferOutsideMemory) {
            single($0, MemorySegment(address: GuestAddress($0.ram.end.value - 15), count: 16))
        },
        Malice("a buffer of 4 GiB less one byte", .bufferOutsideMemory) {
            single($0, MemorySegment(address: MockRAM.base, count: 0xFFFF_FFFF))
        },
        Malice("a buffer that wraps around the address space", .bufferOutsideMemory) {
            single($0, MemorySegment(address: GuestAddress(.max - 7), count: 16))
        },
        Malice("a buffer at address zero", .bufferOutsideMemory) {
            single($0, MemorySegment(address: GuestAddress(0), count: 16))
        },
        Malice("a buffer of no bytes", .emptyBuffer) { single($0, MemorySegment(address: MockRAM.base, count: 0)) },
        Malice("an available index further than the queue is long", .availableIndexJumped) {
            $0.queue.availableIndex &+= 9
        },
        Malice("an available index that goes back", .availableIndexJumped) { $0.queue.availableIndex &-= 1 },
        Malice("a part to read behind one to write", .readableAfterWritable) { rig in
            rig.queue.setDescriptor(0, rig.driver.segment(16), flags: next | write, next: 1)
            rig.queue.setDescriptor(1, rig.driver.segment(16), flags: 0)
            rig.queue.makeAvailable(0)
        },
        Malice("a chain of more than 4 GiB", .chainTooLarge) { rig in
            let table = rig.driver.segment(256 * 16)
            let huge = MemorySegment(address: MockRAM.base, count: rig.ram.size)
            for number in UInt16(0)..<256 {
                rig.queue.setDescriptor(number, huge, flags: next | write, next: number + 1, table: table.address)
            }
            single(rig, table, flags: indirect)
        },
        Malice("an indirect table that was not negotiated", .badIndirectTable, accepting: ~MockDriver.indirect) {
            single($0, table($0, 2), flags: indirect)
        },
        Malice("an indirect table within an indirect table", .badIndirectTable) {
            single($0, table($0, 2, last: indirect), flags: indirect)
        },
        Malice("an indirect table with something behind it", .badIndirectTable) {
            single($0, table($0, 2), flags: indirect | next, next: 1)
        },
        Malice("an indirect table of 15 bytes", .badIndirectTable) {
            single($0, MemorySegment(address: MockRAM.base, count: 15), flags: indirect)
        },
        Malice("an indirect table of no bytes", .badIndirectTable) {
            single($0, MemorySegment(address: MockRAM.base, count: 0), flags: indirect)
        },
        Malice("an indirect table outside of memory", .badIndirectTable) {
            single($0, MemorySegment(address: $0.ram.end, count: 16), flags: indirect)
        },
        Malice("an indirect table over the end of memory", .badIndirectTable) {
            single($0, MemorySegment(address: GuestAddress($0.ram.end.value - 16), count: 32), flags: indirect)
        },
        Malice("a loop in an indirect table", .chainTooLong) {
            single($0, table($0, 4, last: next, lastNext: 1), flags: indirect)
        },
        Malice("a next outside of an indirect table", .descriptorOutOfRange) {
            single($0, table($0, 4, last: next, lastNext: 4), flags: indirect)
        },
        Malice("an indirect chain longer than any queue", .chainTooLong) {
            single($0, table($0, 257, last: write), flags: indirect)
        },
        Malice("a request without a status byte", .malformedRequest) {
            single($0, $0.driver.segment(BlockRig.header(0, sector: 0)))
        },
        Malice("a request with half a header", .malformedRequest) { rig in
            rig.queue.add(readable: [rig.driver.segment(8)], writable: [rig.driver.segment(1)])
        },
    ]
}

@Suite("a hostile driver")
struct HostileQueueTests {
    @Test("stops its device, learns of it, and may start anew", arguments: Malice.all, MockBoard.Transport.allCases)
    func needsReset(malice: Malice, transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport, memory: 32 << 20)
        rig.driver.start(accepting: malice.accepting, queueSize: 8)
        malice.act(rig)
        rig.queue.publish()
        rig.driver.registers.notify(queue: 0)

        // virtio 1.2 §2.1.2: the status says so, with a configuration change notification.
        #expect(rig.driver.needsReset)
        #expect(rig.device.core.lastFault == malice.fault)
        #expect(rig.driver.registers.takeInterruptStatus() == 2)
        #expect(rig.queue.popUsed() == nil)

        // Nothing runs any more, whatever else is there.
        let status = rig.driver.segment([0xFF])
        rig.queue.add(readable: [rig.driver.segment(BlockRig.header(4, sector: 0))], writable: [status])
        rig.queue.publish()
        rig.driver.registers.notify(queue: 0)
        #expect(rig.driver.bytes(status) == [0xFF])
        #expect(rig.disk.log.isEmpty)

        #expect(rig.driver.reset())
        #expect(rig.driver.start())
        #expect(rig.perform(.flush)?.status == 0)
    }

    struct Place: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let fault: QueueFault
        var size: UInt16 = 8
        var descriptors: UInt64 = 0
        var driver: UInt64 = 0x100
        var device: UInt64 = 0x200
    }

    static let places: [Place] = [
        Place(testDescription: "a descriptor table aligned to 8", fault: .badRing, descriptors: 8),
        Place(testDescription: "an odd available ring", fault: .badRing, driver: 0x101),
        Place(testDescription: "a used ring aligned to 2", fault: .badRing, device: 0x202),
        Place(testDescription: "a descriptor table over the end", fault: .badRing, descriptors: (2 << 20) - 112),
        Place(testDescription: "an available ring over the end", fault: .badRing, driver: (2 << 20) - 20),
        Place(testDescription: "a used ring over the end", fault: .badRing, device: (2 << 20) - 68),
        Place(testDescription: "a used ring outside of memory", fault: .badRing, device: 1 << 40),
        Place(testDescription: "rings that wrap around", fault: .badRing, device: ~MockRAM.base.value &- 3),
    ]

    @Test("a queue in an impossible place is not enabled", arguments: places, MockBoard.Transport.allCases)
    func badPlace(place: Place, transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.negotiate()
        rig.driver.registers.place(
            queue: 0, size: place.size, descriptors: MockRAM.base + place.descriptors,
            driver: MockRAM.base + place.driver, device: MockRAM.base + place.device)
        rig.driver.registers.enable(queue: 0)
        #expect(!rig.driver.registers.isEnabled(queue: 0))
        #expect(rig.driver.needsReset)
        #expect(rig.device.core.lastFault == place.fault)
        #expect(rig.driver.reset())
        rig.driver.start()
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("a queue of an impossible size is not enabled", arguments: [UInt32(0), 3, 512, 0x1_0008, .max])
    func badSize(size: UInt32) throws {
        let rig = BlockRig()
        let registers = try #require(rig.driver.mmio)
        rig.driver.negotiate()
        registers.place(
            queue: 0, size: 8, descriptors: MockRAM.base, driver: MockRAM.base + 0x100, device: MockRAM.base + 0x200)
        registers[0x38] = size
        registers.enable(queue: 0)
        #expect(registers[0x44] == 0)
        #expect(rig.device.core.lastFault == .badSize)
    }

    @Test("on PCI a size that is no power of two is never seen", arguments: [UInt64(0), 3, 512, 0xFFFF])
    func badSizeOnPCI(size: UInt64) throws {
        let registers = try #require(BlockRig(on: .pci).driver.pci)
        registers.setCommon(64, 0x18, .half)
        registers.setCommon(size, 0x18, .half)
        #expect(registers.common(0x18, .half) == 64)
    }

    @Test("a queue that is active stays where it is", arguments: MockBoard.Transport.allCases)
    func movedQueue(transport: MockBoard.Transport) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        rig.driver.registers.place(
            queue: 0, size: 2, descriptors: GuestAddress(0), driver: GuestAddress(0), device: GuestAddress(0))
        rig.driver.registers.enable(queue: 0)
        #expect(rig.perform(.flush)?.status == 0)
        #expect(!rig.driver.needsReset)
    }

    @Test(
        "a queue that does not exist has no size, and takes nothing", arguments: MockBoard.Transport.allCases,
        [1, 2, 255, 65535])
    func noSuchQueue(transport: MockBoard.Transport, queue: Int) {
        let rig = BlockRig(on: transport)
        rig.driver.start()
        let registers = rig.driver.registers
        #expect(registers.maximumSize(ofQueue: queue) == 0)
        registers.place(
            queue: queue, size: 8, descriptors: MockRAM.base, driver: MockRAM.base, device: MockRAM.base)
        registers.enable(queue: queue)
        #expect(!registers.isEnabled(queue: queue))
        registers.notify(queue: queue)
        #expect(!rig.driver.needsReset)
        #expect(rig.perform(.flush)?.status == 0)
    }

    @Test("a request whose answer comes when its queue was stopped goes nowhere")
    func stoppedQueue() throws {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start()
        let request = rig.begin(.read, writable: [rig.driver.segment(512)])
        try #require(rig.driver.mmio).disable(queue: 0)
        rig.disk.answerAll()
        #expect(rig.queue.popUsed() == nil)
        #expect(rig.driver.bytes(request.status) == [0xFF])
    }

    @Test("a queue started again does not hear of its past")
    func restartedQueue() throws {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start()
        _ = rig.begin(.read, writable: [rig.driver.segment(512)])
        try #require(rig.driver.mmio).disable(queue: 0)
        let again = rig.driver.makeQueue(0)
        rig.disk.answerAll()
        #expect(again.popUsed() == nil)
        let status = rig.driver.segment([0xFF])
        again.add(readable: [rig.driver.segment(BlockRig.header(4, sector: 0))], writable: [status])
        again.kick()
        rig.disk.answerAll()
        #expect(again.popUsed() != nil)
        #expect(rig.driver.bytes(status) == [0])
    }

    @Test("more buffers than the queue has descriptors, while the device still has them all, are a fault")
    func takenBack() {
        let rig = BlockRig()
        rig.disk.holdsAnswers = true
        rig.driver.start(queueSize: 8)
        for _ in 0..<8 { _ = rig.begin(.flush, indirect: true) }
        #expect(rig.disk.pending.count == 8)
        rig.queue.makeAvailable(0)
        rig.queue.publish()
        rig.driver.registers.notify(queue: 0)
        #expect(rig.device.core.lastFault == .availableIndexJumped)
        #expect(rig.disk.pending.count == 8)
    }

    @Test("what a driver puts into its rings while the device works on a request does not change the request")
    func changedUnderway() {
        let rig = BlockRig()
        rig.disk.content[0] = 42
        rig.disk.holdsAnswers = true
        rig.driver.start()
        let data = rig.driver.segment(512)
        let request = rig.begin(.read, writable: [data])
        rig.ram.memory.fill(at: rig.queue.descriptors, count: 16 * 64, with: 0xFF)
        rig.disk.answerAll()
        #expect(rig.driver.bytes(data)[0] == 42)
        #expect(rig.driver.bytes(request.status) == [0])
        #expect(!rig.driver.needsReset)
    }
}
