// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import Machines

/// What becomes of a guest that tells the panic device something.
@Suite("Panic device on the board", .serialized, .timeLimit(.minutes(10)))
struct PanicDeviceTests {
    private static let configuration: UInt64 =
        VirtMemoryMap.pciConfiguration.base + UInt64(VirtPCIDevice.panic) << 15

    /// A guest that places the device's memory, tells `event`, and goes on with `rest`: to its end, with code 7.
    private static func machine(
        telling event: UInt64, _ rest: (inout GuestAssembler) -> Void = { $0.finish(0x3333 | 7 << 16) },
        configure: (inout VirtConfiguration) -> Void = { _ in }
    ) throws -> TestMachine {
        try TestMachine(configure: configure) { guest in
            store(VirtMemoryMap.pciMemory.base, at: configuration + 0x10, width: 2, &guest)
            store(2, at: configuration + 4, width: 1, &guest)
            store(event, at: VirtMemoryMap.pciMemory.base, width: 0, &guest)
            rest(&guest)
        }
    }

    private static func spin(_ guest: inout GuestAssembler) {
        guest.label("spin")
        guest.jump("spin")
    }

    private static func store(_ value: UInt64, at address: UInt64, width: UInt32, _ guest: inout GuestAssembler) {
        guest.li(.t0, address)
        guest.li(.t1, value)
        guest.store(.t1, at: .t0, width: width)
    }

    @Test(
        "an event ends the machine, or lets the guest go on",
        arguments: [
            (1, .panicked("the guest's panic device")), (2, .poweredOff(code: 7)), (4, .poweredOff(code: 0)),
            (0xF8, .poweredOff(code: 7)),
        ] as [(UInt64, MachineEnd)])
    func events(event: UInt64, end: MachineEnd) throws {
        #expect(try Self.machine(telling: event).run() == end)
    }

    @Test("a crash that the guest sees to itself is no event of the machine's, but counted")
    func counted() throws {
        let test = try Self.machine(telling: 2)
        #expect(try test.run() == .poweredOff(code: 7))
        #expect(test.events.all == [.state(.running), .state(.ended), .ended(.poweredOff(code: 7))])
        let device = test.machine.statistics.devices.first { $0.name == "pvpanic" }
        #expect(device?.counters.first { $0.name == "crash-kernels" }?.count == 1)
    }

    @Test("with --on-panic pause the machine stands, and goes on when it is let go")
    func pauses() throws {
        let test = try Self.machine(telling: 1, Self.spin) { $0.onPanic = .pause }
        try test.machine.start()
        #expect(TestMachine.wait { test.events.all.contains(.state(.paused)) })
        #expect(
            test.events.all == [.state(.running), .panicked("the guest's panic device"), .state(.paused)])
        let retired = test.machine.statistics.retired
        test.machine.resume()
        #expect(TestMachine.wait { test.machine.statistics.retired > retired })
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("with --on-panic reboot the machine begins again, and its counter remembers")
    func reboots() throws {
        let test = try Self.machine(telling: 1, Self.spin) { $0.onPanic = .reboot }
        try test.machine.start()
        #expect(TestMachine.wait { test.events.all.filter { $0 == .restarted }.count >= 2 })
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
        let device = test.machine.statistics.devices.first { $0.name == "pvpanic" }
        #expect(device?.counters.first { $0.name == "panics" }.map { $0.count >= 2 } == true)
    }

    @Test("a machine without one answers nothing at its place")
    func absent() throws {
        let test = try TestMachine(configure: { $0.hasPanicDevice = false }) { guest in
            guest.li(.t0, Self.configuration)
            guest.load(.t1, .t0, width: 6)
            guest.li(.t2, 0xFFFF_FFFF)
            guest.branchEqual(.t1, .t2, "absent")
            guest.finish(0x3333 | 9 << 16)
            guest.label("absent")
            guest.finish(0x5555)
        }
        #expect(try test.run() == .poweredOff(code: 0))
    }
}
