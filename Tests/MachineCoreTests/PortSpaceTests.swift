// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import Testing

/// Answers each byte with its offset, and keeps what it is written.
private final class Ports: BusTarget {
    struct Access: Equatable {
        let value: UInt64
        let offset: UInt64
        let width: AccessWidth
    }
    private let kept = Mutex([Access]())
    var written: [Access] { kept.withLock { $0 } }

    func busRead(at offset: UInt64, width: AccessWidth) -> UInt64 {
        (0..<width.bytes).reduce(0) { $0 | (offset + $1 & 0xFF) << (8 * $1) }
    }

    func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        kept.withLock { $0.append(Access(value: value, offset: offset, width: width)) }
    }
}

@Suite("Port space")
struct PortSpaceTests {
    private let narrow = Ports()
    private let wide = Ports()
    private let space: PortSpace

    init() {
        space = PortSpace([
            .init(first: 0x60, count: 1, name: "narrow", target: narrow),
            .init(first: 0x64, count: 2, origin: 0x60, name: "narrow", target: narrow),
            .init(first: 0x66, count: 6, widest: .word, name: "wide", target: wide),
            .init(first: 0xFFFF, count: 1, name: "last", target: narrow),
        ])
    }

    @Test(
        "a read gets what answers, byte by byte where it must, and ones where nothing does",
        arguments: [
            (0x60, .byte, 0x00), (0x61, .byte, 0xFF), (0x64, .byte, 0x04), (0x64, .half, 0x0504), (0x60, .half, 0xFF00),
            (0x62, .word, 0x0504_FFFF), (0x66, .word, 0x0302_0100), (0x6A, .word, 0xFFFF_0504), (0x65, .half, 0x0005),
            (0x6B, .byte, 0x05), (0x6C, .word, 0xFFFF_FFFF), (0xFFFF, .half, 0xFF00), (0x0, .word, 0xFFFF_FFFF),
        ] as [(UInt16, AccessWidth, UInt64)])
    func reads(port: UInt16, width: AccessWidth, value: UInt64) {
        #expect(space.read(at: port, width: width) == value)
    }

    @Test("a write is made in the same pieces, lower port first")
    func writes() {
        space.write(0x4433_2211, at: 0x64, width: .word)
        #expect(
            narrow.written == [
                .init(value: 0x11, offset: 4, width: .byte), .init(value: 0x22, offset: 5, width: .byte),
            ])
        #expect(wide.written == [.init(value: 0x4433, offset: 0, width: .half)])
    }

    @Test("bits above the width do not reach the chip")
    func cut() {
        space.write(.max, at: 0x60, width: .byte)
        #expect(narrow.written == [.init(value: 0xFF, offset: 0, width: .byte)])
    }

    @Test("ranges that overlap stop the board at once")
    func overlap() async {
        await #expect(processExitsWith: .failure) {
            _ = PortSpace([
                .init(first: 0x60, count: 4, name: "one", target: Ports()),
                .init(first: 0x63, count: 1, name: "two", target: Ports()),
            ])
        }
    }
}

@Suite("Time-stamp rate")
struct TimeStampRateTests {
    @Test(
        "ticks are virtual time by the frequency, and the way back is the first moment with that count",
        arguments: [
            (1_000_000_000, 12345, 12345), (2_500_000_000, 1000, 2500), (3_579_545, 1_000_000_000, 3_579_545),
            (2_893_202_000, 86_400_000_000_000, 249_972_652_800_000),
        ] as [(UInt64, UInt64, UInt64)])
    func both(frequency: UInt64, nanoseconds: UInt64, ticks: UInt64) {
        let rate = TimeStampRate(frequency: frequency)
        #expect(rate.ticks(at: nanoseconds) == ticks)
        #expect(rate.nanoseconds(at: ticks) == nanoseconds)
    }

    @Test("no moment comes a tick early", arguments: [3, 7_000_001, 999_999_937, 2_893_202_000] as [UInt64])
    func neverEarly(frequency: UInt64) throws {
        let rate = TimeStampRate(frequency: frequency)
        let early = try (1...1000).filter {
            let ticks = UInt64($0) * 7919
            let moment = try #require(rate.nanoseconds(at: ticks))
            return rate.ticks(at: moment) < ticks || rate.ticks(at: moment - 1) >= ticks
        }
        #expect(early == [])
    }

    @Test("a count past the clock's end has no moment")
    func tooLate() {
        #expect(TimeStampRate(frequency: 1).nanoseconds(at: 1 << 40) == nil)
        #expect(TimeStampRate(frequency: 1_000_000_000).nanoseconds(at: .max) == .max)
    }
}
