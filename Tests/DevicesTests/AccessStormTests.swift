// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// A chip under random accesses, and what else of it the outside can call.
struct StormSubject: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// How many interrupt outputs it has.
    let outputs: UInt64
    let make: @Sendable (HandClock) -> any Device
    /// Something from the outside, by a random number.
    var disturb: @Sendable (any Device, UInt64) -> Void = { _, _ in }

    static let all = [
        StormSubject(testDescription: "16550", outputs: 1, make: { _ in UART16550(backend: StreamRecorder(bound: 64)) })
        {
            _ = ($0 as? UART16550)?.receive(Array(repeating: 0x55, count: Int($1 % 40)))
            _ = $1 % 7 == 0 ? ($0 as? UART16550)?.receiveBreak() : ()
        },
        StormSubject(testDescription: "CLINT", outputs: 32, make: { CLINT(harts: 16, clock: $0) }),
        StormSubject(testDescription: "SSWI", outputs: 0, make: { _ in SSWI(harts: 3) { _ in } }),
        StormSubject(testDescription: "PLIC", outputs: 32, make: { _ in PLIC(sources: 127, contexts: 32) }) {
            ($0 as? PLIC)?.setSource(Int($1 % 140) - 4, level: $1 & 1 << 32 != 0)
        },
        StormSubject(testDescription: "RTC", outputs: 1, make: { GoldfishRTC(calendar: $0, clock: $0) }),
        StormSubject(testDescription: "LAPIC", outputs: 5, make: { LAPIC.storming($0) }) {
            ($0 as? LAPIC)?.disturb($1)
        },
        StormSubject(testDescription: "IOAPIC", outputs: 0, make: { _ in IOAPIC(messages: MessageRecorder()) }) {
            ($0 as? IOAPIC)?.setPin(Int($1 % 40) - 4, asserted: $1 & 1 << 32 != 0)
            ($0 as? IOAPIC)?.endOfInterrupt(UInt8(truncatingIfNeeded: $1 >> 40))
        },
        StormSubject(testDescription: "8259 pair", outputs: 1, make: { _ in PICPair() }) {
            ($0 as? PICPair)?.setInput(Int($1 % 20) - 2, level: $1 & 1 << 32 != 0)
            _ = $1 % 3 == 0 ? ($0 as? PICPair)?.acknowledge() : nil
        },
        StormSubject(testDescription: "8254", outputs: 1, make: { PIT8254(clock: $0) }),
        StormSubject(
            testDescription: "HPET", outputs: 35,
            make: { HPET(clock: $0, routes: 0x00F0_0000, messages: MessageRecorder()) }),
        StormSubject(testDescription: "MC146818", outputs: 1, make: { MC146818(calendar: $0, clock: $0) }),
        StormSubject(
            testDescription: "ACPI", outputs: 1, make: { ACPIPower(clock: $0, requests: { _ in }, sleeps: { _ in }) }
        ) { ($0 as? ACPIPower)?.raiseGeneral(Int($1 % 20) - 2) },
        StormSubject(testDescription: "8042", outputs: 1, make: { _ in I8042(requests: { _ in }) }),
        StormSubject(testDescription: "debug exit", outputs: 0, make: { _ in DebugExit { _ in } }),
        StormSubject(testDescription: "POST port", outputs: 0, make: { _ in POSTPort() }),
        StormSubject(testDescription: "fw_cfg", outputs: 0, make: { _ in StormMemory.chip }),
        StormSubject(testDescription: "test wires", outputs: 24, make: { _ in PCTestDevice.Wires() }),
        StormSubject(testDescription: "test memory", outputs: 0, make: { _ in PCTestDevice.Memory() }),
        StormSubject(testDescription: "finisher", outputs: 0, make: { _ in Finisher { _ in } }),
    ]
}

/// A guest writes anything anywhere; the chip stays alive and within its bounds.
@Suite("Random accesses")
struct AccessStormTests {
    @Test("100,000 accesses of every width and offset leave the chip within its outputs", arguments: StormSubject.all)
    func storm(subject: StormSubject) {
        let clock = HandClock()
        let chip = subject.make(clock)
        var storm = Storm(seed: 0x5EED)
        storm.rage(100_000, over: chip, clock: clock, subject: subject)
        #expect(storm.strayOutputs == 0)
        #expect(storm.pastDeadlines == 0, "a deadline lies in the future, or a timer would fire without end")
        chip.reset()
        chip.performWork()
        #expect(chip.takeWork() == nil)
    }
}

/// Random accesses, and what they brought to light.
private struct Storm {
    /// Interrupt outputs seen high that the chip does not have.
    private(set) var strayOutputs: UInt64 = 0
    /// How often a deadline was not in the future.
    private(set) var pastDeadlines = 0
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func rage(_ count: Int, over chip: any Device, clock: HandClock, subject: StormSubject) {
        for _ in 0..<count {
            let width = AccessWidth.allCases[Int(random.next() % 4)]
            let offset = offset(in: chip.windowSize)
            if random.next() & 1 == 0 {
                chip.write(value() & width.mask, at: offset, width: width)
            } else {
                _ = chip.read(at: offset, width: width)
            }
            subject.disturb(chip, random.next())
            clock.set(moment(after: clock.nanoseconds))
            strayOutputs |= chip.interruptLevels & ~((1 << subject.outputs) &- 1)
            if let deadline = chip.deadline, deadline <= clock.nanoseconds { pastDeadlines += 1 }
            chip.performWork()
        }
    }

    /// Mostly registers at the window's start and at round places, sometimes its end, sometimes outside.
    private mutating func offset(in size: UInt64) -> UInt64 {
        let number = random.next()
        return switch random.next() % 6 {
        case 0: number % 64
        case 1: number % size
        case 2: number % size & ~7
        case 3: size &- 1 &- number % 32
        case 4: (0x20_0000 + (number >> 8) % 40 * 0x1000 + number % 3 * 4) % size
        default: number
        }
    }

    private mutating func value() -> UInt64 {
        let number = random.next()
        return [number, number % 256, .max, 0, .max - number % 1000, 1 << (number % 64)][Int(random.next() % 6)]
    }

    /// Small steps, now and then a leap to anywhere.
    private mutating func moment(after now: UInt64) -> UInt64 {
        random.next() % 1000 == 0 ? random.next() : now &+ random.next() % 1000
    }
}

/// Guest memory that outlives its chip.
private enum StormMemory {
    nonisolated(unsafe) static let ram = SmallMemory()
    static var chip: FirmwareConfiguration {
        FirmwareConfiguration(items: [5: [1, 2, 3]], files: [], memory: ram.memory)
    }
}

extension LAPIC {
    fileprivate static func storming(_ clock: HandClock) -> LAPIC {
        LAPIC(
            inbox: LAPICInbox(identity: 5) {}, isBootProcessor: true, clock: clock,
            timeStampRate: TimeStampRate(frequency: 2_400_000_000))
    }

    /// What its processor and other threads may do.
    fileprivate func disturb(_ number: UInt64) {
        let delivery = InterruptMessage.Delivery(rawValue: UInt8(number >> 8 & 7)) ?? .fixed
        inbox.post(delivery, vector: UInt8(truncatingIfNeeded: number), isLevel: number & 1 << 20 != 0)
        inbox.setLine(Int(number >> 24 & 3), level: number & 1 << 30 != 0)
        _ = writeRegister(number >> 13, [0x1B, 0x6E0, 0x800 + UInt32(number >> 40 & 0x3F)][Int(number >> 32 % 3) % 3])
        _ = readRegister(0x800 + UInt32(number >> 48 & 0x3F))
        _ = acknowledge()
        _ = take(ProcessorEvents(rawValue: 1 << (number >> 36 & 7)))
        _ = takeStartUp()
        _ = takeRequests()
        setTimeStampOffset(number)
    }
}
