// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// What a device writes, and what it means.
private struct DeviceMessage: Sendable {
    let address: UInt64
    let data: UInt32
    let message: InterruptMessage

    init(_ address: UInt64, _ data: UInt32, _ message: InterruptMessage) {
        self.address = address
        self.data = data
        self.message = message
    }

    static let all = [
        DeviceMessage(0xFEE0_2000, 0x4050, InterruptMessage(to: .physical(2), vector: 0x50)),
        DeviceMessage(0xFEEF_F000, 0x0050, InterruptMessage(to: .everyone, vector: 0x50)),
        DeviceMessage(0xFEE0_3004, 0x0131, InterruptMessage(to: .logical(3), .lowestPriority, vector: 0x31)),
        DeviceMessage(0xFEE0_300C, 0x0031, InterruptMessage(to: .logical(3), .lowestPriority, vector: 0x31)),
        DeviceMessage(0xFEE0_3008, 0x0031, InterruptMessage(to: .physical(3), vector: 0x31)),
        DeviceMessage(0xFEE0_0000, 0xC041, InterruptMessage(to: .physical(0), vector: 0x41, isLevel: true)),
        DeviceMessage(0xFEE0_1000, 0x0400, InterruptMessage(to: .physical(1), .nonMaskable, vector: 0)),
    ]
}

@Suite("Interrupt fabric")
struct InterruptFabricTests {
    let benches = (0..<4).map { LAPICBench.enabled(UInt32($0)) }
    let ended = Recorder<UInt8>()
    let fabric: InterruptFabric

    init() {
        let ended = ended
        fabric = InterruptFabric(benches.map(\.inbox)) { ended.record($0) }
    }

    /// Which processors have something to take.
    private var reached: [Int] { benches.indices.filter { benches[$0].apic.pendingEvents != [] } }

    /// Writes the command register of processor `sender`, and lets the fabric do what it asks for.
    private func command(_ low: UInt64, to destination: UInt64 = 0, from sender: Int = 0) {
        benches[sender].apic.writeWord(destination << 24, 0x310)
        benches[sender].apic.writeWord(low, 0x300)
        benches[sender].apic.takeRequests().forEach(fabric.perform)
    }

    @Test(
        "a command reaches whom it names",
        arguments: [
            (0x0_4050, 2, [2]), (0x0_4050, 0, [0]), (0x0_4050, 9, []), (0x0_4050, 0xFF, [0, 1, 2, 3]),
            (0x4_4050, 3, [1]), (0x8_4050, 2, [0, 1, 2, 3]), (0xC_4050, 2, [0, 2, 3]),
        ] as [(UInt64, UInt64, [Int])])
    func destinations(low: UInt64, destination: UInt64, expected: [Int]) {
        command(low, to: destination, from: 1)
        #expect(reached == expected)
    }

    @Test(
        "logical destinations in the flat model match bit by bit",
        arguments: [(0x01, [0]), (0x06, [1, 2]), (0xF0, []), (0x00, []), (0xFF, [0, 1, 2, 3])] as [(UInt64, [Int])])
    func flat(destination: UInt64, expected: [Int]) {
        benches.indices.forEach { benches[$0].apic.writeWord(1 << UInt64($0 + 24), 0xD0) }
        command(0x4850, to: destination)
        #expect(reached == expected)
    }

    @Test(
        "logical destinations in the cluster model match the cluster, or all with 15, and a bit",
        arguments: [
            (0x11, [0]), (0x13, [0, 1]), (0x22, [3]), (0x23, [2, 3]), (0x31, []), (0xF1, [0, 2]), (0xFF, [0, 1, 2, 3]),
            (0x10, []),
        ] as [(UInt64, [Int])])
    func cluster(destination: UInt64, expected: [Int]) {
        for (index, logical) in [0x11, 0x12, 0x21, 0x22].enumerated() {
            benches[index].apic.writeWord(0, 0xE0)
            benches[index].apic.writeWord(UInt64(logical) << 24, 0xD0)
        }
        command(0x4850, to: destination)
        #expect(reached == expected)
    }

    @Test("IDs that software has made equal are all reached")
    func aliases() {
        benches[1].apic.writeWord(0x0700_0000, 0x20)
        benches[2].apic.writeWord(0x0700_0000, 0x20)
        command(0x4050, to: 7)
        #expect(reached == [1, 2])
        command(0x4050, to: 3)
        #expect(reached == [1, 2, 3])
    }

    @Test(
        "x2APIC: clusters of 16 by the ID",
        arguments: [
            (0x0850, 0x0000_0001, [0]), (0x0850, 0x0001_0003, [1, 2]), (0x0850, 0x0001_8000, [3]),
            (0x0850, 0x0002_0001, []), (0x0850, 0xFFFF_FFFF, [0, 1, 2, 3]), (0x0050, 0x11, [2]),
            (0x0050, 0xFF, []), (0x0050, 0xFFFF_FFFF, [0, 1, 2, 3]),
        ] as [(UInt64, UInt64, [Int])])
    func x2APIC(low: UInt64, destination: UInt64, expected: [Int]) {
        let benches = [0, 0x10, 0x11, 0x1F].map { LAPICBench.x2APIC($0) }
        let fabric = InterruptFabric(benches.map(\.inbox)) { _ in }
        #expect(benches[0].apic.writeRegister(destination << 32 | low, 0x830))
        benches[0].apic.takeRequests().forEach(fabric.perform)
        #expect(benches.indices.filter { benches[$0].isPending } == expected)
    }

    @Test(
        "each delivery arrives as what it is",
        arguments: [
            (0x4050, .maskable), (0x4200, .systemManagement), (0x4400, .nonMaskable), (0x0400, .nonMaskable),
            (0x4500, .initialize), (0xC500, .initialize), (0x8500, []), (0x4609, .startUp), (0x4300, []), (0x4700, []),
        ] as [(UInt64, ProcessorEvents)])
    func deliveries(low: UInt64, event: ProcessorEvents) {
        command(low, to: 2)
        #expect(benches[2].apic.pendingEvents == event)
    }

    @Test("a start-up carries its vector")
    func startUp() {
        command(0x46A5, to: 3)
        #expect(benches[3].apic.takeStartUp() == 0xA5)
    }

    @Test(
        "a command with a vector below 16 is the sender's error, and not sent", arguments: [0x400F, 0x4100] as [UInt64])
    func illegalVector(low: UInt64) {
        command(low, to: 2)
        #expect(reached == [])
        benches[0].apic.writeWord(0, 0x280)
        #expect(benches[0].apic.readWord(0x280) == 0x20)
    }

    @Test("the delivery status is always idle, and reserved bits read as zero")
    func status() {
        benches[0].apic.writeWord(0xFFFF_F9FF, 0x300)
        #expect(benches[0].apic.readWord(0x300) == 0xC_C9FF)
    }

    @Test("the lowest priority wins, and equals take turns")
    func lowestPriority() {
        let lowest = InterruptMessage(to: .everyone, .lowestPriority, vector: 0x50)
        benches[0].apic.taskPriority = 3
        benches[2].apic.taskPriority = 1
        benches[3].apic.taskPriority = 1
        benches[1].apic.taskPriority = 2
        var winners: Set<Int> = []
        (0..<8).forEach { _ in
            fabric.send(lowest)
            winners.formUnion(reached)
            benches.forEach { _ = $0.drain() }
        }
        #expect(winners == [2, 3])
    }

    @Test("a processor that takes no vectors has no lowest priority")
    func lowestPriorityDisabled() {
        benches[0].apic.writeWord(0xFF, 0xF0)
        benches[1].apic.taskPriority = 9
        fabric.send(InterruptMessage(to: .logical(0xFF), .lowestPriority, vector: 0x50))
        #expect(reached == [], "no logical ID is set")
        [0, 1].forEach { benches[$0].apic.writeWord(0x0100_0000, 0xD0) }
        fabric.send(InterruptMessage(to: .logical(0x01), .lowestPriority, vector: 0xE0))
        #expect(reached == [1])
    }

    @Test("a local APIC that is off gets nothing")
    func off() {
        #expect(benches[2].apic.writeRegister(0xFEE0_0000, 0x1B))
        fabric.send(InterruptMessage(to: .everyone, .nonMaskable, vector: 0))
        #expect(reached == [0, 1, 3])
    }

    @Test(
        "a device's message says destination, mode and delivery in its address and data", arguments: DeviceMessage.all)
    fileprivate func messages(row: DeviceMessage) {
        #expect(InterruptMessage(address: row.address, data: row.data) == row.message)
    }

    @Test(
        "outside of the window, and a level that is taken back, is no message",
        arguments: [
            (0xFEE0_0000, 0x8041), (0xFED0_0000, 0x4050), (0xFEF0_0000, 0x4050), (0x1_FEE0_0000, 0x4050), (0, 0x4050),
        ] as [(UInt64, UInt32)])
    func noMessage(address: UInt64, data: UInt32) {
        #expect(InterruptMessage(address: address, data: data) == nil)
    }

    @Test("a device's message is delivered")
    func deliver() {
        fabric.deliver(address: 0xFEE0_2000, data: 0x4050)
        fabric.deliver(address: 0x1000, data: 0x4051)
        #expect(reached == [2])
        #expect(benches[2].drain() == [0x50])
    }

    @Test("an end is told to the IOAPICs")
    func ends() {
        fabric.perform(.end(0x77))
        #expect(ended.all == [0x77])
    }

    @Test("with a fabric at hand the local APIC's requests leave as work")
    func work() {
        let apic = LAPIC(
            inbox: benches[0].inbox, isBootProcessor: true, clock: benches[0].clock,
            timeStampRate: TimeStampRate(frequency: 1), fabric: fabric)
        apic.writeWord(0x1FF, 0xF0)
        apic.writeWord(0x0200_0000, 0x310)
        apic.writeWord(0x4050, 0x300)
        #expect(reached == [])
        apic.performWork()
        #expect(reached == [2])
        #expect(apic.takeWork() == nil)
    }
}

/// What several threads do to one inbox.
@Suite("Local APIC: posts from many threads")
struct LAPICInboxThreadTests {
    @Test("no vector that was posted is lost, whoever posts and while it is served")
    func posts() async {
        let bench = LAPICBench.enabled()
        let inbox = bench.inbox
        await withTaskGroup(of: Void.self) { group in
            (0..<4).forEach { thread in
                group.addTask {
                    stride(from: 32 + thread, to: 256, by: 4).forEach {
                        inbox.post(.fixed, vector: UInt8($0), isLevel: thread == 1)
                    }
                }
            }
        }
        let all: [UInt8] = (32...255).reversed()
        #expect(bench.drain() == all)
    }

    @Test("of many INITs and start-ups one of each waits, and NMIs no more than two")
    func events() async {
        let bench = LAPICBench.enabled()
        let inbox = bench.inbox
        await withTaskGroup(of: Void.self) { group in
            (0..<4).forEach { _ in
                group.addTask {
                    (0..<1000).forEach { _ in
                        inbox.post(.initialize, vector: 0, isLevel: false)
                        inbox.post(.nonMaskable, vector: 0, isLevel: false)
                        inbox.post(.startUp, vector: 7, isLevel: false)
                    }
                }
            }
        }
        #expect(bench.apic.take(.nonMaskable))
        #expect(bench.apic.take(.nonMaskable))
        #expect(!bench.apic.take(.nonMaskable))
        #expect(bench.apic.take(.initialize))
        #expect(bench.apic.takeStartUp() == 7)
        #expect(bench.apic.pendingEvents == [])
    }
}
