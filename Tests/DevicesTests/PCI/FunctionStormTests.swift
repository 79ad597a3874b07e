// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// A PCI function under random accesses.
struct FunctionStormSubject: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The interrupt lines that it may drive from slot 2.
    let lines: UInt64
    let make: @Sendable () -> any PCIFunction

    static let all = [
        FunctionStormSubject(testDescription: "host bridge", lines: 0, make: { PCIHostFunction() }),
        FunctionStormSubject(testDescription: "doorbell", lines: 0b0100, make: { Doorbell { _ in } }),
        FunctionStormSubject(testDescription: "pci-testdev", lines: 0, make: { PCITestDevice() }),
        FunctionStormSubject(testDescription: "pvpanic", lines: 0, make: { PVPanic { _ in } }),
    ]
}

/// A guest writes anything anywhere; the function stays alive, within its lines, and of use to the next driver.
@Suite("Random accesses to PCI functions")
struct FunctionStormTests {
    @Test(
        "100,000 accesses to configuration space and memory leave a function that resets to what it was",
        arguments: FunctionStormSubject.all)
    func storm(subject: FunctionStormSubject) {
        let bus = MockPCIBus()
        let function = subject.make()
        bus.plug(function, device: 2)
        let new = registers(bus)
        var storm = FunctionStorm(seed: 0x5EED)
        storm.rage(100_000, over: bus)
        #expect(storm.linesSeen == subject.lines)
        function.reset()
        #expect(function.takeWork() == nil)
        #expect(registers(bus) == new)
    }

    private func registers(_ bus: MockPCIBus) -> [UInt64] {
        stride(from: 0, to: PCIConfiguration.size, by: 4).map { bus.readConfiguration(2, $0) }
    }
}

/// Random accesses to the function in slot 2, and what they brought to light.
private struct FunctionStorm {
    /// Interrupt lines seen high.
    private(set) var linesSeen: UInt64 = 0
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func rage(_ count: Int, over bus: MockPCIBus) {
        let base: UInt64 = 0x4000_0000
        for _ in 0..<count {
            let width = AccessWidth.allCases[Int(random.next() % 4)]
            let number = random.next()
            switch random.next() % 16 {
            case 0: bus.enable(2, bar: Int(number % 6), at: base)
            case 1: bus.writeConfiguration(value(), 2, Int(number % 4096), width)
            case 2: _ = bus.readConfiguration(2, Int(number % 4096), width)
            case 3...8: bus.write(value(), base &+ number % 64, width)
            case 9...14: _ = bus.read(base &+ number % 64, width)
            default: bus.write(value(), value(), width)
            }
            linesSeen |= bus.lines
        }
    }

    private mutating func value() -> UInt64 {
        let number = random.next()
        return [number, number % 256, .max, 0, .max - number % 1000, 1 << (number % 64)][Int(random.next() % 6)]
    }
}
