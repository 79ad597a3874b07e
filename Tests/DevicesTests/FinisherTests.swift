// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Test finisher")
struct FinisherTests {
    let requests = Recorder<MachineRequest>()
    let finisher: Finisher

    init() { finisher = Finisher(requests: requests.record) }

    @Test(
        "a command asks the machine for one thing, once the lock is free",
        arguments: [
            (0x5555, .powerOff(code: 0)), (0x0007_5555, .powerOff(code: 0)), (0x0001_3333, .powerOff(code: 1)),
            (0x002A_3333, .powerOff(code: 42)), (0xFFFF_3333, .powerOff(code: 65_535)), (0x7777, .reset),
        ] as [(UInt64, MachineRequest)])
    func commands(value: UInt64, request: MachineRequest) {
        finisher.writeWord(value, 0)
        #expect(requests.all.isEmpty)
        finisher.performWork()
        finisher.performWork()
        #expect(requests.all == [request])
    }

    @Test("a failure without a code does not look like success")
    func failureWithoutCode() {
        finisher.writeWord(0x3333, 0)
        finisher.performWork()
        #expect(requests.all == [.powerOff(code: 1)])
    }

    @Test("wider and narrower writes than a word are understood", arguments: [.half, .word, .double] as [AccessWidth])
    func widths(width: AccessWidth) {
        finisher.write(0x5555, at: 0, width: width)
        finisher.performWork()
        #expect(requests.all == [.powerOff(code: 0)])
    }

    @Test(
        "anything else is ignored",
        arguments: [
            (0x5554, 0, .word), (0, 0, .word), (0x5555_0000, 0, .word), (0x5555, 4, .word), (0x5555, .max, .word),
            (0x55, 0, .byte), (0x5555, 1, .half),
        ] as [(UInt64, UInt64, AccessWidth)])
    func ignored(value: UInt64, offset: UInt64, width: AccessWidth) {
        finisher.write(value, at: offset, width: width)
        #expect(finisher.takeWork() == nil)
    }

    @Test("it reads as zero", arguments: [0, 4, 0xFFF, .max] as [UInt64])
    func reads(offset: UInt64) {
        finisher.writeWord(0x5555, 0)
        #expect(finisher.readWord(offset) == 0)
    }

    @Test("reset forgets a request that was not handed on")
    func reset() {
        finisher.writeWord(0x7777, 0)
        finisher.reset()
        #expect(finisher.takeWork() == nil)
    }
}
