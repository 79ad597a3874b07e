// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

@Suite("Local APIC: snapshots")
struct LAPICSnapshotTests {
    /// One in the middle of its work.
    private func busy(_ bench: LAPICBench) {
        let apic = bench.apic
        apic.writeWord(0x0300_0000, 0xD0)
        apic.writeWord(0x0FFF_FFFF, 0xE0)
        apic.writeWord(0x8061, 0x350)
        apic.writeWord(0x2_0040, 0x320)
        apic.writeWord(0x3, 0x3E0)
        apic.writeWord(1000, 0x380)
        bench.clock.set(bench.clock.nanoseconds + 8000)
        bench.post(0x91, isLevel: true)
        _ = apic.acknowledge()
        bench.post(0x92)
        bench.post(0x31)
        apic.taskPriority = 2
        bench.inbox.post(.nonMaskable, vector: 0, isLevel: false)
        bench.inbox.post(.startUp, vector: 0x77, isLevel: false)
    }

    @Test("what was saved is there again, and goes on")
    func roundTrip() {
        let saved = LAPICBench.enabled(3)
        busy(saved)
        let snapshot = saved.apic.snapshot
        let restored = LAPICBench(identity: 3)
        restored.clock.set(500_000)
        restored.apic.restore(snapshot)
        #expect(restored.apic.snapshot == snapshot)
        #expect(restored.apic.pendingEvents == [.nonMaskable, .startUp])
        #expect(restored.apic.readWord(0x390) == 500)
        #expect(restored.apic.deadline == 508_000)
        restored.endOfInterrupt()
        #expect(restored.apic.takeRequests() == [.end(0x91)])
        #expect(restored.drain() == [0x92, 0x31])
        #expect(restored.apic.takeStartUp() == 0x77)
    }

    @Test("x2APIC: the ID, the logical destination and the command have 32 bits")
    func x2APIC() {
        let saved = LAPICBench.x2APIC(0x123)
        #expect(saved.apic.writeRegister(0x1234_5678_0000_4050, 0x830))
        let snapshot = saved.apic.snapshot
        #expect([0x02, 0x0D, 0x30, 0x31].map { snapshot.registers[$0] } == [0x123, 0x12_0008, 0x4050, 0x1234_5678])
        let restored = LAPICBench(identity: 0x123)
        restored.apic.restore(snapshot)
        #expect(restored.apic.snapshot == snapshot)
        #expect(restored.apic.pageAddress == nil)
    }

    @Test("a deadline of the time-stamp counter is kept")
    func deadline() {
        let saved = LAPICBench.enabled()
        saved.apic.writeWord(0x4_0040, 0x320)
        #expect(saved.apic.writeRegister(9000, 0x6E0))
        let restored = LAPICBench()
        restored.apic.restore(saved.apic.snapshot)
        #expect(restored.apic.deadline == 9000)
    }

    @Test("a page that is too short, or full of ones, is taken for what of it there is", arguments: [0, 3, 64, 100])
    func strange(count: Int) {
        let bench = LAPICBench()
        var snapshot = bench.apic.snapshot
        snapshot.registers = Array(repeating: .max, count: count)
        bench.apic.restore(snapshot)
        let apic = bench.apic
        #expect(apic.readWord(0x300) == (count < 64 ? 0 : 0xC_CFFF))
        #expect(apic.readWord(0x320) & ~0x7_00FF == 0)
    }
}
