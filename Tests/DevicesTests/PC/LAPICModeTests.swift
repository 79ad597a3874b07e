// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// Values of IA32_APIC_BASE, of the processor that boots.
private enum BaseValue {
    static let off: UInt64 = 0xFEE0_0100
    static let xAPIC: UInt64 = 0xFEE0_0900
    static let x2APIC: UInt64 = 0xFEE0_0D00
    static let invalid: UInt64 = 0xFEE0_0500
}

/// One change of mode.
private struct Transition: Sendable {
    let from: UInt64
    let to: UInt64
    let allowed: Bool

    init(_ from: UInt64, _ to: UInt64, _ allowed: Bool) {
        self.from = from
        self.to = to
        self.allowed = allowed
    }

    static let all = [
        Transition(BaseValue.off, BaseValue.off, true), Transition(BaseValue.off, BaseValue.xAPIC, true),
        Transition(BaseValue.off, BaseValue.x2APIC, false), Transition(BaseValue.off, BaseValue.invalid, false),
        Transition(BaseValue.xAPIC, BaseValue.off, true), Transition(BaseValue.xAPIC, BaseValue.x2APIC, true),
        Transition(BaseValue.xAPIC, BaseValue.invalid, false), Transition(BaseValue.x2APIC, BaseValue.off, true),
        Transition(BaseValue.x2APIC, BaseValue.xAPIC, false), Transition(BaseValue.x2APIC, BaseValue.invalid, false),
        Transition(BaseValue.x2APIC, BaseValue.x2APIC, true),
    ]
}

@Suite("Local APIC: modes and model-specific registers")
struct LAPICModeTests {
    @Test("modes change as the manual allows, and else fault", arguments: Transition.all)
    fileprivate func transitions(change: Transition) {
        let apic = LAPICBench().apic
        _ = apic.writeRegister(BaseValue.xAPIC, 0x1B)
        #expect(apic.writeRegister(change.from, 0x1B))
        #expect(apic.writeRegister(change.to, 0x1B) == change.allowed)
        #expect(apic.readRegister(0x1B) == (change.allowed ? change.to : change.from))
    }

    @Test("reserved bits of the base fault", arguments: [0, 7, 9, 40, 52, 63] as [UInt64])
    func reserved(bit: UInt64) {
        let apic = LAPICBench().apic
        #expect(!apic.writeRegister(BaseValue.xAPIC | 1 << bit, 0x1B))
        #expect(apic.readRegister(0x1B) == BaseValue.xAPIC)
    }

    @Test("a model without x2APIC has no such mode")
    func noX2APIC() {
        let apic = LAPICBench(features: LAPIC.Features(hasX2APIC: false)).apic
        #expect(!apic.writeRegister(BaseValue.x2APIC, 0x1B))
        #expect(apic.readRegister(0x802) == nil)
    }

    @Test("the page moves, and is there in xAPIC mode alone")
    func page() {
        let apic = LAPICBench().apic
        #expect(apic.pageAddress == 0xFEE0_0000)
        #expect(apic.writeRegister(0xFED4_0900, 0x1B))
        #expect(apic.pageAddress == 0xFED4_0000)
        #expect(apic.writeRegister(0xFED4_0D00, 0x1B))
        #expect(apic.pageAddress == nil)
        #expect(apic.writeRegister(0xFED4_0100, 0x1B))
        #expect(apic.pageAddress == nil)
    }

    @Test("off loses everything but the task priority, and NMIs that wait")
    func off() {
        let bench = LAPICBench.enabled(2)
        bench.apic.writeWord(0x0900_0000, 0x20)
        bench.apic.taskPriority = 4
        bench.post(0x80)
        bench.inbox.post(.nonMaskable, vector: 0, isLevel: false)
        #expect(bench.apic.writeRegister(BaseValue.off, 0x1B))
        bench.apic.taskPriority = 5
        #expect(bench.apic.writeRegister(BaseValue.xAPIC, 0x1B))
        #expect(bench.apic.readWord(0x20) == 0x0200_0000)
        #expect(bench.apic.readWord(0x80) == 0x50)
        #expect(bench.apic.readWord(0xF0) == 0xFF)
        #expect(bench.apic.pendingEvents == .nonMaskable)
    }

    @Test("x2APIC registers fault in xAPIC mode", arguments: [0x802, 0x80B, 0x830, 0x83F] as [UInt32])
    func wrongMode(index: UInt32) {
        let apic = LAPICBench.enabled().apic
        #expect(apic.readRegister(index) == nil)
        #expect(!apic.writeRegister(0, index))
    }

    @Test(
        "x2APIC registers read as their xAPIC counterparts",
        arguments: [
            (0x802, 0x25), (0x803, 0x0105_0014), (0x808, 0), (0x80A, 0), (0x80D, 0x2_0020), (0x80F, 0x1FF), (0x810, 0),
            (0x817, 0), (0x818, 0), (0x820, 0), (0x827, 0), (0x828, 0), (0x830, 0), (0x832, 0x10000), (0x837, 0x10000),
            (0x838, 0), (0x839, 0), (0x83E, 0),
        ] as [(UInt32, UInt64)])
    func reads(index: UInt32, value: UInt64) {
        #expect(LAPICBench.x2APIC(0x25).apic.readRegister(index) == value)
    }

    @Test(
        "registers that x2APIC has not, and those that are for writing alone, fault when read",
        arguments: [0x800, 0x809, 0x80B, 0x80C, 0x80E, 0x82F, 0x831, 0x83F, 0x840, 0x8FF, 0x7FF, 0x900] as [UInt32])
    func unreadable(index: UInt32) {
        #expect(LAPICBench.x2APIC().apic.readRegister(index) == nil)
    }

    @Test(
        "registers that x2APIC has not, and those for reading alone, fault when written",
        arguments: [
            0x802, 0x803, 0x809, 0x80A, 0x80C, 0x80D, 0x80E, 0x810, 0x818, 0x820, 0x82F, 0x831, 0x839, 0x840, 0x8FF,
        ] as [UInt32])
    func unwritable(index: UInt32) {
        let apic = LAPICBench.x2APIC().apic
        let before = apic.state
        #expect(!apic.writeRegister(0, index))
        #expect(apic.state == before)
    }

    @Test(
        "reserved bits fault",
        arguments: [
            (0x808, 0x100), (0x80B, 1), (0x80F, 0x400), (0x828, 1), (0x830, 0x2000), (0x832, 0x8_0000),
            (0x832, 0x100), (0x833, 0x800), (0x835, 0x800), (0x837, 0x100), (0x838, 1 << 32), (0x83E, 4),
            (0x83F, 0x100), (0x808, 1 << 63),
        ] as [(UInt32, UInt64)])
    func reservedBits(index: UInt32, value: UInt64) {
        let apic = LAPICBench.x2APIC().apic
        let before = apic.state
        #expect(!apic.writeRegister(value, index))
        #expect(apic.state == before)
    }

    @Test("an interrupt is served by registers alone")
    func serves() {
        let bench = LAPICBench.x2APIC()
        #expect(bench.apic.writeRegister(0x51, 0x83F))
        #expect(bench.apic.readRegister(0x822) == 1 << 17)
        #expect(bench.apic.acknowledge() == .vector(0x51))
        #expect(bench.apic.readRegister(0x812) == 1 << 17)
        #expect(bench.apic.readRegister(0x80A) == 0x50)
        #expect(bench.apic.writeRegister(0, 0x80B))
        #expect(bench.apic.readRegister(0x812) == 0)
    }

    @Test("a self IPI with a vector below 16 is an error")
    func illegalSelf() {
        let apic = LAPICBench.x2APIC().apic
        #expect(apic.writeRegister(3, 0x83F))
        #expect(apic.writeRegister(0, 0x828))
        #expect(apic.readRegister(0x828) == 0x20)
    }

    @Test("the command register is written as one, with 32 bits of destination")
    func command() {
        let apic = LAPICBench.x2APIC().apic
        #expect(apic.writeRegister(0x1234_5678_0000_4050, 0x830))
        #expect(apic.readRegister(0x830) == 0x1234_5678_0000_4050)
        #expect(
            apic.takeRequests() == [.send(InterruptMessage(to: .physical(0x1234_5678), vector: 0x50), excluding: nil)])
    }

    @Test(
        "no other model-specific register is the local APIC's",
        arguments: [0, 0x10, 0x1A, 0x6DF, 0xC000_0080] as [UInt32])
    func others(index: UInt32) {
        let apic = LAPICBench.x2APIC().apic
        #expect(apic.readRegister(index) == nil)
        #expect(!apic.writeRegister(0, index))
    }
}
