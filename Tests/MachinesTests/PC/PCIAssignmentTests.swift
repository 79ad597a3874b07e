// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import Machines

@Suite struct PCIAssignmentTests {
    /// A function with these base addresses and nothing behind them.
    private final class Function: PCIFunction {
        let configuration: PCIConfiguration

        init(_ bars: [(Int, PCIBaseAddress)], pin: PCIInterruptPin = .none) {
            configuration = PCIConfiguration(
                identity: PCIIdentity(vendor: 1, device: 2, classCode: 0), interruptPin: pin)
            for (number, kind) in bars { configuration.addBaseAddress(number, kind) }
        }

        func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }
        func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {}
        var wantsInterrupt: Bool { false }
        var deadline: UInt64? { nil }
        func takeWork() -> DeviceWork? { nil }
        func reset() { configuration.reset() }

        func word(_ register: Int) -> UInt64 { readConfiguration(at: register, width: .word) }
    }

    private static func assignment() -> PCIAssignment {
        PCIAssignment(
            memory: 0xC000_1000..<0xC001_0000, highMemory: 0x4_0000_0000..<0x8_0000_0000, ports: 0x1000..<0x1100
        ) {
            UInt8($0 + 100)
        }
    }

    @Test("memory goes where its size aligns it, and is decoded")
    func memory() {
        var assignment = Self.assignment()
        let function = Function([(0, .memory32(size: 16)), (1, .memory32(size: 0x4000)), (2, .memory64(size: 0x4000))])
        assignment.assign(function, at: PCIAddress(device: 3))
        #expect(function.word(0x10) & ~15 == 0xC000_1000)
        #expect(function.word(0x14) & ~15 == 0xC000_4000)
        #expect(function.word(0x18) & ~15 == 0)
        #expect(function.word(0x1C) == 4)
        #expect(function.word(0x04) & 3 == 2)
    }

    @Test("what finds no place stays without one, undecoded")
    func full() {
        var assignment = Self.assignment()
        let function = Function([(0, .memory32(size: 0x2_0000))])
        assignment.assign(function, at: PCIAddress(device: 3))
        #expect(function.word(0x10) & ~15 == 0)
        #expect(function.word(0x04) & 3 == 0)
    }

    @Test("a pin's interrupt is noted where drivers of the old controllers look")
    func interruptLine() {
        var assignment = Self.assignment()
        let function = Function([], pin: .a)
        assignment.assign(function, at: PCIAddress(device: 3))
        #expect(function.word(0x3C) & 0xFF == 103)
    }
}
