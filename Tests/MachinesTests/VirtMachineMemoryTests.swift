// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing
import VMMemory

@testable import Machines

@Suite(.serialized, .timeLimit(.minutes(10))) struct VirtMachineMemoryTests {
    private static func machine(_ balloon: BalloonConfiguration?, megabytes: UInt64 = 64) throws -> TestMachine {
        try TestMachine(
            configure: {
                $0.memorySize = megabytes << 20
                $0.balloon = balloon
            }
        ) { guest in
            guest.label("here")
            guest.wfi()
            guest.jump("here")
        }
    }

    @Test("the balloon takes from the start what the guest is not to have")
    func boot() throws {
        let use = try Self.machine(BalloonConfiguration(size: 24 << 20)).machine.memoryUse
        #expect(use.size == 64 << 20)
        #expect(use.target == 40 << 20)
        #expect(use.balloon == 0)
        #expect(!use.hasDriver)
    }

    @Test("a guest without a driver for the balloon keeps its memory, and that is said")
    func noDriver() throws {
        let test = try Self.machine(BalloonConfiguration())
        try test.machine.start()
        #expect(
            throws: MachineError.state("the guest has no driver for the memory balloon, so its memory stays as it is")
        ) { try test.machine.setMemory(32 << 20) }
        #expect(test.machine.memoryUse.target == 64 << 20)
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
    }

    @Test("a machine without a balloon says so")
    func noBalloon() throws {
        let test = try Self.machine(nil)
        #expect(throws: MachineError.self) { try test.machine.setMemory(32 << 20) }
    }

    @Test("memory that the machine was not made for is refused", arguments: [0, 15 << 20, 65 << 20, 32 << 20 | 1])
    func outOfRange(size: UInt64) throws {
        let test = try Self.machine(BalloonConfiguration())
        #expect(throws: MachineError.self) { try test.machine.setMemory(size) }
    }

    @Test("a balloon that leaves the guest nothing is refused", arguments: [49 << 20, 64 << 20, 4095])
    func tooLarge(size: UInt64) {
        #expect(throws: MachineError.self) { try Self.machine(BalloonConfiguration(size: size)) }
    }

    @Test("what the machine takes is told by name and address, and lies apart")
    func mappings() throws {
        let test = try TestMachine(harts: 2) { $0.finish(0x5555) }
        let mappings = test.machine.mappings
        #expect(mappings.map(\.name) == ["guest memory", "vcpu0 caches", "vcpu1 caches"])
        let ranges = mappings.map { $0.address..<$0.address + $0.size }
        #expect(!ranges[0].overlaps(ranges[1]) && !ranges[1].overlaps(ranges[2]) && !ranges[0].overlaps(ranges[2]))
    }
}
