// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("16550 serial port")
struct UART16550Tests {
    let outside = StreamRecorder()
    let uart: UART16550

    init() { uart = UART16550(backend: outside) }

    private func receive(_ count: Int) -> Int { uart.receive((0..<count).map { UInt8(truncatingIfNeeded: $0) }) }
    private var line: Bool { uart.interruptLevels == 1 }

    @Test(
        "after reset each register has its value",
        arguments: [(0, 0), (1, 0), (2, 0x01), (3, 0), (4, 0), (5, 0x60), (6, 0xB0), (7, 0)] as [(UInt64, UInt64)])
    func resetValues(offset: UInt64, value: UInt64) {
        (0..<8).forEach { uart.writeByte(0x5F, $0) }
        uart.reset()
        #expect(uart.readByte(offset) == value)
    }

    // MARK: Output

    @Test("a byte written leaves once, and the transmitter is empty all the time")
    func transmits() {
        uart.writeByte(0x41, 0)
        #expect(uart.readByte(5) == 0x60)
        uart.performWork()
        uart.performWork()
        #expect(outside.sent == [0x41])
    }

    @Test("bytes leave in the order of their writes")
    func order() {
        "swift".utf8.forEach { uart.writeByte(UInt64($0), 0) }
        uart.performWork()
        #expect(outside.sent == Array("swift".utf8))
    }

    @Test("what the backend has no room for is dropped and counted, and the transmitter stays empty")
    func drops() {
        let narrow = StreamRecorder(bound: 2)
        let uart = UART16550(backend: narrow)
        (0..<5).forEach { uart.writeByte($0, 0) }
        uart.performWork()
        #expect(narrow.sent == [0, 1])
        #expect(uart.droppedOutput == 3)
        #expect(uart.readByte(5) == 0x60)
    }

    @Test("a port that is connected to nothing keeps no output")
    func unconnected() {
        let uart = UART16550(backend: nil)
        uart.writeByte(0x41, 0)
        #expect(uart.takeWork() == nil)
    }

    // MARK: Input

    @Test(
        "the receiver takes sixteen bytes with FIFOs and one without", arguments: [(0, 1), (1, 16)] as [(UInt64, Int)])
    func capacity(fifoControl: UInt64, taken: Int) {
        uart.writeByte(fifoControl, 2)
        #expect(receive(40) == taken)
        #expect(receive(1) == 0)
    }

    @Test("bytes are read in the order of their arrival, and an empty receiver reads as zero")
    func readsInOrder() {
        uart.writeByte(1, 2)
        _ = uart.receive([7, 8])
        #expect(uart.readByte(5) == 0x61)
        #expect((0..<3).map { _ in uart.readByte(0) } == [7, 8, 0])
        #expect(uart.readByte(5) == 0x60)
    }

    @Test("the backend is told to go on once the receiver is empty, not before, and only after a refusal")
    func resumes() {
        uart.writeByte(1, 2)
        _ = receive(17)
        (0..<15).forEach { _ in _ = uart.readByte(0) }
        uart.performWork()
        #expect(outside.resumes == 0)
        _ = uart.readByte(0)
        uart.performWork()
        #expect(outside.resumes == 1)
        _ = receive(16)
        (0..<16).forEach { _ in _ = uart.readByte(0) }
        uart.performWork()
        #expect(outside.resumes == 1)
    }

    @Test("clearing the receiver, by FIFO reset or by master reset, asks for more", arguments: [false, true])
    func clearingResumes(byMasterReset: Bool) {
        uart.writeByte(1, 2)
        _ = receive(17)
        byMasterReset ? uart.reset() : uart.writeByte(0x03, 2)
        uart.performWork()
        #expect(outside.resumes == 1)
        #expect(uart.readByte(5) == 0x60)
    }

    /// What a guest does at its port before its shell reads: register and byte written, or register read.
    struct Start: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [(write: UInt64?, at: UInt64)]
        let hears: Bool
    }

    static let starts = [
        Start(testDescription: "nothing", steps: [], hears: false),
        Start(
            testDescription: "writing, with a look at the line status before each byte",
            steps: Array(repeating: [(nil, 5), (65, 0)], count: 20).flatMap(\.self), hears: false),
        Start(
            testDescription: "a driver's start: FIFOs emptied, a look at each register",
            steps: [(7, 2), (0, 2), (nil, 5), (nil, 0), (nil, 2), (nil, 6), (nil, 5)], hears: false),
        Start(testDescription: "enabling the receiver's interrupt", steps: [(1, 1)], hears: true),
        Start(testDescription: "enabling the transmitter's interrupt", steps: [(2, 1)], hears: false),
        Start(testDescription: "polling", steps: Array(repeating: (nil, 5), count: 5), hears: true),
        Start(
            testDescription: "polling, then emptying the receiver",
            steps: Array(repeating: (nil, 5), count: 5) + [(3, 2)], hears: false),
    ]

    @Test("a port that waits for its reader takes input from when the guest listens", arguments: starts)
    func waitsForReader(_ start: Start) {
        let uart = UART16550(backend: outside, waitsForReader: true)
        for step in start.steps {
            if let byte = step.write { uart.writeByte(byte, step.at) } else { _ = uart.readByte(step.at) }
        }
        #expect((uart.receive([7]) == 1) == start.hears)
    }

    @Test("what a port refused before its reader came is asked for then, and FIFOs switched on keep it")
    func readerComes() {
        let uart = UART16550(backend: outside, waitsForReader: true)
        #expect(uart.receive([7]) == 0)
        uart.performWork()
        #expect(outside.resumes == 0)
        uart.writeByte(1, 1)
        uart.performWork()
        #expect(outside.resumes == 1)
        #expect(uart.receive([7, 8]) == 1)
        uart.writeByte(1, 2)
        #expect(uart.receive([8]) == 1)
        #expect((0..<3).map { _ in uart.readByte(0) } == [7, 8, 0])
    }

    @Test("a wide read takes one byte and leaves the registers beside it alone", arguments: AccessWidth.allCases)
    func wideRead(width: AccessWidth) {
        uart.writeByte(1, 2)
        uart.writeByte(2, 1)  // the transmitter's interrupt is pending in the register two further
        _ = uart.receive([7, 8])
        #expect(uart.read(at: 0, width: width) == 7)
        #expect(uart.readByte(2) == 0xC2)
        #expect(uart.readByte(0) == 8)
    }

    @Test("a wide write reaches one register with its low byte", arguments: AccessWidth.allCases)
    func wideWrite(width: AccessWidth) {
        uart.write(0x0707_0707_0707_0703 & width.mask, at: 3, width: width)
        #expect(uart.readByte(3) == 3)
        #expect(uart.readByte(4) == 0)
    }

    @Test("a break is a zero byte that shows in the line status until that is read")
    func breaks() {
        uart.writeByte(1, 2)
        uart.receiveBreak()
        #expect(uart.readByte(5) == 0xF1)
        #expect(uart.readByte(5) == 0x61)
        #expect(uart.readByte(0) == 0)
    }

    @Test("a break behind other bytes shows only as an error in the FIFO until it is the oldest")
    func breakBehind() {
        uart.writeByte(1, 2)
        _ = uart.receive([1])
        uart.receiveBreak()
        #expect(uart.readByte(5) == 0xE1)
        _ = uart.readByte(0)
        #expect(uart.readByte(5) == 0xF1)
    }

    // MARK: Interrupts

    @Test("enabling the transmitter's interrupt raises it; reading the identity clears it; a byte raises it again")
    func transmitterInterrupt() {
        #expect(!line)
        uart.writeByte(2, 1)
        #expect(line)
        #expect(uart.readByte(2) == 0x02)
        #expect(!line)
        #expect(uart.readByte(2) == 0x01)
        uart.writeByte(0x41, 0)
        #expect(line)
    }

    @Test("received data interrupts until it is read, whatever is read besides")
    func receivedInterrupt() {
        uart.writeByte(1, 1)
        _ = uart.receive([1])
        #expect(uart.readByte(2) == 0x04)
        #expect(line)
        _ = uart.readByte(0)
        #expect(!line)
    }

    @Test(
        "below the trigger level the character timeout interrupts at once, from it on received data",
        arguments: [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)] as [(UInt64, Int)])
    func triggers(fifoControl: UInt64, level: Int) {
        uart.writeByte(fifoControl, 2)
        uart.writeByte(1, 1)
        _ = receive(level)
        #expect(uart.readByte(2) == 0xC4)
        _ = uart.readByte(0)
        #expect(uart.readByte(2) == (level == 1 ? 0xC1 : 0xCC))
        #expect(line == (level > 1))
    }

    @Test("of several causes the identity says the highest, and each goes away by its own read")
    func priorities() {
        uart.writeByte(1, 2)
        uart.writeByte(0x10, 4)  // loopback changes the modem lines
        uart.writeByte(0x00, 4)
        uart.receiveBreak()
        uart.writeByte(0x0F, 1)
        #expect(uart.readByte(2) == 0xC6)
        _ = uart.readByte(5)
        #expect(uart.readByte(2) == 0xC4)
        _ = uart.readByte(0)
        #expect(uart.readByte(2) == 0xC2)
        #expect(uart.readByte(2) == 0xC0)
        _ = uart.readByte(6)
        #expect(uart.readByte(2) == 0xC1)
        #expect(!line)
    }

    @Test(
        "a cause that is not enabled does not interrupt",
        arguments: [(0x0E, 0xC6), (0x0B, 0xC4), (0x0A, 0xC2), (0x08, 0xC0), (0x00, 0xC1)] as [(UInt64, UInt64)])
    func masks(enabled: UInt64, identity: UInt64) {
        uart.writeByte(1, 2)
        uart.writeByte(0x10, 4)
        uart.writeByte(0x00, 4)
        uart.receiveBreak()
        uart.writeByte(enabled, 1)
        #expect(uart.readByte(2) == identity)
    }

    @Test("the unused bits of interrupt enable and modem control read as zero")
    func reservedBits() {
        uart.writeByte(0xFF, 1)
        #expect(uart.readByte(1) == 0x0F)
        uart.writeByte(0xFF, 4)
        #expect(uart.readByte(4) == 0x1F)
    }

    // MARK: Controls

    @Test("the divisor lies over the first two registers while the line control says so")
    func divisor() {
        uart.writeByte(5, 1)
        uart.writeByte(0x80, 3)
        uart.writeByte(0x34, 0)
        uart.writeByte(0x12, 1)
        #expect(uart.readByte(0) == 0x34)
        #expect(uart.readByte(1) == 0x12)
        uart.writeByte(0x03, 3)
        #expect(uart.readByte(1) == 5)
        uart.performWork()
        #expect(outside.sent.isEmpty)
    }

    @Test("switching the FIFOs on or off empties the receiver", arguments: [(0, 1), (1, 0)] as [(UInt64, UInt64)])
    func switchingFIFOs(before: UInt64, after: UInt64) {
        uart.writeByte(before, 2)
        _ = uart.receive([1])
        uart.writeByte(after, 2)
        #expect(uart.readByte(5) == 0x60)
    }

    @Test("FIFO control without its enable bit sets no trigger level, and the identity says that there are no FIFOs")
    func fifoControlDisabled() {
        uart.writeByte(0xC0, 2)
        #expect(uart.readByte(2) == 0x01)
        uart.writeByte(0x01, 2)
        uart.writeByte(1, 1)
        _ = uart.receive([1])
        #expect(uart.readByte(2) == 0xC4)
    }

    @Test("setting a trigger level does not lose what was received")
    func triggerKeepsBytes() {
        uart.writeByte(1, 2)
        _ = uart.receive([9])
        uart.writeByte(0x81, 2)
        #expect(uart.readByte(0) == 9)
    }

    @Test("the scratch register keeps its byte")
    func scratch() {
        uart.writeByte(0xA5, 7)
        #expect(uart.readByte(7) == 0xA5)
    }

    // MARK: Loopback

    @Test("in loopback a byte comes back, none leaves, and none comes in; afterwards the backend goes on")
    func loopback() {
        uart.writeByte(0x10, 4)
        uart.writeByte(0x55, 0)
        #expect(uart.receive([1]) == 0)
        uart.performWork()
        #expect(outside.sent.isEmpty)
        #expect(uart.readByte(0) == 0x55)
        uart.performWork()
        #expect(outside.resumes == 0)
        uart.writeByte(0, 4)
        uart.performWork()
        #expect(outside.resumes == 1)
    }

    @Test(
        "in loopback the modem lines are the port's own",
        arguments: [(0x11, 0x20), (0x12, 0x10), (0x14, 0x40), (0x18, 0x80), (0x10, 0)] as [(UInt64, UInt64)])
    func loopbackLines(control: UInt64, lines: UInt64) {
        uart.writeByte(control, 4)
        _ = uart.readByte(6)
        #expect(uart.readByte(6) == lines)
    }

    @Test("a changed modem line shows until the status is read; a ring only when it ends")
    func modemChanges() {
        uart.writeByte(0x10, 4)
        _ = uart.readByte(6)
        uart.writeByte(0x16, 4)
        #expect(uart.readByte(6) == 0x51)
        #expect(uart.readByte(6) == 0x50)
        uart.writeByte(0x12, 4)
        #expect(uart.readByte(6) == 0x14)
    }

    @Test(
        "an overrun keeps a full FIFO, but replaces the one byte there is without FIFOs",
        arguments: [(1, 16, 0), (0, 1, 99)] as [(UInt64, UInt64, UInt64)])
    func overrun(fifoControl: UInt64, fill: UInt64, oldest: UInt64) {
        uart.writeByte(fifoControl, 2)
        uart.writeByte(0x10, 4)
        (0..<fill).forEach { uart.writeByte($0, 0) }
        #expect(uart.readByte(5) == 0x61)
        uart.writeByte(99, 0)
        #expect(uart.readByte(5) == 0x63)
        #expect(uart.readByte(5) == 0x61)
        #expect(uart.readByte(0) == oldest)
    }
}
