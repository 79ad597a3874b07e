// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Local APIC: registers and priorities")
struct LAPICTests {
    let bench = LAPICBench.enabled()
    var apic: LAPIC { bench.apic }

    @Test(
        "after power-on the registers read as the manual has them",
        arguments: [
            (0x20, 0x0300_0000), (0x30, 0x0105_0014), (0x80, 0), (0x90, 0), (0xA0, 0), (0xB0, 0), (0xC0, 0), (0xD0, 0),
            (0xE0, 0xFFFF_FFFF), (0xF0, 0xFF), (0x100, 0), (0x170, 0), (0x180, 0), (0x200, 0), (0x270, 0), (0x280, 0),
            (0x300, 0), (0x310, 0), (0x320, 0x10000), (0x330, 0x10000), (0x340, 0x10000), (0x350, 0x10000),
            (0x360, 0x10000), (0x370, 0x10000), (0x380, 0), (0x390, 0), (0x3E0, 0),
        ] as [(UInt64, UInt64)])
    func powerOn(offset: UInt64, value: UInt64) {
        let apic = LAPICBench(identity: 3).apic
        #expect(apic.readWord(offset) == value)
        #expect(apic.readRegister(0x1B) == 0xFEE0_0900)
    }

    @Test(
        "a register keeps the bits that can be written",
        arguments: [
            (0x20, 0xFF00_0000), (0x80, 0xFF), (0xD0, 0xFF00_0000), (0xE0, 0xFFFF_FFFF), (0xF0, 0x13FF),
            (0x310, 0xFF00_0000), (0x320, 0x7_00FF), (0x330, 0x1_07FF), (0x340, 0x1_07FF), (0x350, 0x1_A7FF),
            (0x360, 0x1_A7FF), (0x370, 0x1_00FF), (0x380, 0xFFFF_FFFF), (0x3E0, 0xB),
        ] as [(UInt64, UInt64)])
    func writableBits(offset: UInt64, bits: UInt64) {
        apic.writeWord(0xFFFF_FFFF, offset)
        #expect(apic.readWord(offset) == bits)
    }

    @Test(
        "what is read-only ignores writes without an error",
        arguments: [0x30, 0x90, 0xA0, 0xC0, 0x100, 0x180, 0x200, 0x270, 0x390] as [UInt64])
    func readOnly(offset: UInt64) {
        let before = apic.state
        apic.writeWord(0xFFFF_FFFF, offset)
        #expect(apic.state == before)
    }

    @Test(
        "an offset without a register is an error that shows after the next write",
        arguments: [0x0, 0x40, 0x2F0, 0x3F0, 0xFF0] as [UInt64])
    func illegalRegister(offset: UInt64) {
        #expect(apic.readWord(offset) == 0)
        #expect(apic.readWord(0x280) == 0)
        apic.writeWord(0, 0x280)
        #expect(apic.readWord(0x280) == 0x80)
        apic.writeWord(0, 0x280)
        #expect(apic.readWord(0x280) == 0)
        apic.writeWord(1, offset)
        apic.writeWord(0, 0x280)
        #expect(apic.readWord(0x280) == 0x80)
    }

    @Test("an error interrupts by its own local vector, once an error")
    func errorInterrupt() {
        apic.writeWord(0xFE, 0x370)
        _ = apic.readWord(0x40)
        #expect(bench.drain() == [0xFE])
        #expect(bench.drain() == [])
    }

    @Test(
        "accesses but words at multiples of 16 change nothing; narrow reads get their part",
        arguments: [(0x80, .byte), (0x80, .half), (0x80, .double), (0x84, .word), (0x82, .half), (0x8C, .word)]
            as [(UInt64, AccessWidth)])
    func widths(offset: UInt64, width: AccessWidth) {
        let before = apic.state
        apic.write(0x55, at: offset, width: width)
        #expect(apic.state == before)
        #expect(apic.read(at: 0x32, width: .half) == 0x0105)
        #expect(apic.read(at: 0x31, width: .byte) & 0xFF == 0)
        #expect(apic.read(at: 0x34, width: .word) == 0)
    }

    @Test("vectors come in the order of their priority, and a higher one nests")
    func order() {
        [0x31, 0x95, 0x40, 0xF0].forEach { bench.post($0) }
        #expect(bench.drain() == [0xF0, 0x95, 0x40, 0x31])
        bench.post(0x41)
        #expect(apic.acknowledge() == .vector(0x41))
        bench.post(0x4F)
        #expect(apic.acknowledge() == .none, "of the same class")
        bench.post(0x50)
        #expect(apic.acknowledge() == .vector(0x50))
        bench.endOfInterrupt()
        #expect(apic.acknowledge() == .none)
        bench.endOfInterrupt()
        #expect(apic.acknowledge() == .vector(0x4F))
    }

    @Test(
        "each vector shows as requested, then in service, then not at all",
        arguments: [16, 31, 32, 63, 64, 200, 255] as [UInt8])
    func registers(vector: UInt8) {
        let word = UInt64(vector / 32) * 16
        let bit = UInt64(1) << UInt64(vector % 32)
        bench.post(vector)
        #expect(apic.readWord(0x200 + word) == bit)
        #expect(apic.acknowledge() == .vector(vector))
        #expect(apic.readWord(0x200 + word) == 0)
        #expect(apic.readWord(0x100 + word) == bit)
        bench.endOfInterrupt()
        #expect(apic.readWord(0x100 + word) == 0)
    }

    @Test("a vector that comes twice while it is requested comes once, while in service once more")
    func collapse() {
        bench.post(0x60)
        bench.post(0x60)
        #expect(apic.acknowledge() == .vector(0x60))
        bench.post(0x60)
        bench.post(0x60)
        bench.endOfInterrupt()
        #expect(bench.drain() == [0x60])
    }

    @Test(
        "the processor's priority is the task's, or that of what is in service, whichever class is higher",
        arguments: [(0x00, 0x50, 0x50), (0x4F, 0x51, 0x50), (0x53, 0x51, 0x53), (0x62, 0x51, 0x62)]
            as [(UInt64, UInt8, UInt64)])
    func processorPriority(task: UInt64, served: UInt8, priority: UInt64) {
        bench.post(served)
        _ = apic.acknowledge()
        apic.writeWord(task, 0x80)
        #expect(apic.readWord(0xA0) == priority)
    }

    @Test("the arbitration priority counts what is requested, too")
    func arbitrationPriority() {
        apic.writeWord(0x23, 0x80)
        #expect(apic.readWord(0x90) == 0x23)
        bench.post(0x75)
        #expect(apic.readWord(0x90) == 0x70)
        #expect(apic.readWord(0xA0) == 0x23)
    }

    @Test(
        "only a class above the task priority interrupts",
        arguments: [(0x40, true), (0x4F, true), (0x50, false), (0x60, false)] as [(UInt64, Bool)])
    func taskPriority(task: UInt64, interrupts: Bool) {
        apic.writeWord(task, 0x80)
        bench.post(0x5A)
        #expect(bench.isPending == interrupts)
        #expect(apic.taskPriority == UInt8(task >> 4))
        apic.taskPriority = 0
        #expect(apic.readWord(0x80) == 0)
        #expect(bench.isPending)
    }

    @Test("an end of interrupt with nothing in service does nothing")
    func strayEnd() {
        bench.endOfInterrupt()
        #expect(apic.takeRequests() == [])
    }

    @Test("the end of a level-triggered interrupt is told, of an edge not, and not if software wants it so")
    func broadcast() {
        bench.post(0x50, isLevel: true)
        #expect(apic.readWord(0x1A0) == 1 << 16)
        #expect(bench.drain() == [0x50])
        #expect(apic.takeRequests() == [.end(0x50)])
        bench.post(0x50)
        #expect(apic.readWord(0x1A0) == 0)
        #expect(bench.drain() == [0x50])
        #expect(apic.takeRequests() == [])
        apic.writeWord(0x11FF, 0xF0)
        bench.post(0x50, isLevel: true)
        #expect(bench.drain() == [0x50])
        #expect(apic.takeRequests() == [])
    }

    @Test("a local APIC that software disables masks its local vectors and takes no more, but NMI, INIT and start-up")
    func softwareDisabled() {
        apic.writeWord(0x20, 0x320)
        bench.post(0x70)
        apic.writeWord(0xFF, 0xF0)
        #expect(apic.readWord(0x320) == 0x1_0020)
        apic.writeWord(0x20, 0x320)
        #expect(apic.readWord(0x320) == 0x1_0020)
        bench.post(0x71)
        bench.inbox.post(.nonMaskable, vector: 0, isLevel: false)
        bench.inbox.post(.initialize, vector: 0, isLevel: false)
        bench.inbox.post(.startUp, vector: 9, isLevel: false)
        #expect(apic.pendingEvents == [.maskable, .nonMaskable, .initialize, .startUp])
        #expect(bench.drain() == [0x70], "what was requested before stays")
    }

    @Test("a message with a vector below 16 is an error", arguments: [0, 15] as [UInt8])
    func illegalVector(vector: UInt8) {
        bench.post(vector)
        #expect(!bench.isPending)
        apic.writeWord(0, 0x280)
        #expect(apic.readWord(0x280) == 0x40)
    }

    @Test("INIT resets all but the ID and the base, and keeps the start-up that follows it")
    func initialize() {
        apic.writeWord(0x0700_0000, 0x20)
        apic.writeWord(0x40, 0x80)
        bench.post(0x90)
        bench.inbox.post(.startUp, vector: 1, isLevel: false)
        bench.inbox.post(.initialize, vector: 0, isLevel: false)
        bench.inbox.post(.startUp, vector: 0x9F, isLevel: false)
        #expect(apic.take(.initialize))
        #expect(!apic.take(.initialize))
        #expect(apic.takeStartUp() == 0x9F)
        #expect(apic.takeStartUp() == nil)
        #expect(apic.readWord(0x20) == 0x0700_0000)
        #expect(apic.readWord(0x80) == 0)
        #expect(apic.readWord(0xF0) == 0xFF)
        #expect(!bench.isPending)
    }

    @Test("INIT takes back a start-up that came before it")
    func initializeFirst() {
        bench.inbox.post(.startUp, vector: 1, isLevel: false)
        bench.inbox.post(.initialize, vector: 0, isLevel: false)
        #expect(apic.take(.initialize))
        #expect(apic.takeStartUp() == nil)
    }

    @Test("two NMIs wait while none is served, one while one is")
    func nonMaskable() {
        (0..<5).forEach { _ in bench.inbox.post(.nonMaskable, vector: 0, isLevel: false) }
        #expect(apic.take(.nonMaskable))
        (0..<5).forEach { _ in bench.inbox.post(.nonMaskable, vector: 0, isLevel: false) }
        apic.unblockNonMaskable()
        #expect(apic.take(.nonMaskable))
        #expect(!apic.take(.nonMaskable))
    }

    @Test("SMI waits once, and nothing else is taken by a name that is not its own")
    func systemManagement() {
        bench.inbox.post(.systemManagement, vector: 0, isLevel: false)
        bench.inbox.post(.systemManagement, vector: 0, isLevel: false)
        #expect(apic.pendingEvents == .systemManagement)
        #expect(!apic.take(.maskable))
        #expect(apic.take(.systemManagement))
        #expect(!apic.take(.systemManagement))
    }

    @Test("whoever posts wakes the processor")
    func wakes() {
        bench.post(0x50)
        bench.inbox.setLine(0, level: true)
        bench.inbox.setLine(0, level: true)
        bench.inbox.setLine(0, level: false)
        bench.inbox.timerExpired()
        #expect(bench.woken.all.count == 4)
        bench.inbox.post(.reserved, vector: 0x50, isLevel: false)
        #expect(bench.woken.all.count == 4)
    }

    @Test("power-on forgets all that waits")
    func reset() {
        bench.post(0x50)
        bench.inbox.post(.nonMaskable, vector: 0, isLevel: false)
        apic.writeWord(0x4_4050, 0x300)
        apic.reset()
        #expect(apic.pendingEvents == [])
        #expect(apic.takeRequests() == [])
        #expect(apic.state == LAPICBench().apic.state)
    }
}
