// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Testing

/// What no guest can cause: a board that is built wrongly stops at once, with a sentence.
@Suite("Mistakes of a board")
struct BoardMistakeTests {
    @Test("an ACLINT has no seventeenth hart")
    func harts() async {
        await #expect(processExitsWith: .failure) { _ = MSWI(harts: 17) }
        await #expect(processExitsWith: .failure) { _ = SSWI(harts: 17) { _ in } }
        await #expect(processExitsWith: .failure) { _ = MTIMER(harts: 17, clock: HandClock()) }
    }

    @Test("a PLIC has no source 1024 and no context 64")
    func controller() async {
        await #expect(processExitsWith: .failure) { _ = PLIC(sources: 1024, contexts: 1) }
        await #expect(processExitsWith: .failure) { _ = PLIC(sources: 1, contexts: 65) }
    }

    @Test("a base address has a size of a power of two, and a register of its own")
    func baseAddresses() async {
        await #expect(processExitsWith: .failure) {
            PlainFunction().configuration.addBaseAddress(0, .memory32(size: 3000))
        }
        await #expect(processExitsWith: .failure) {
            let configuration = PlainFunction().configuration
            configuration.addBaseAddress(0, .memory64(size: 4096))
            configuration.addBaseAddress(1, .memory32(size: 4096))
        }
    }

    @Test("capabilities do not outgrow configuration space")
    func capabilities() async {
        await #expect(processExitsWith: .failure) {
            PlainFunction().configuration.addCapability(0x09, body: Array(repeating: 0, count: 191))
        }
    }

    @Test("the table of MSI-X lies within its base address")
    func messageTable() async {
        await #expect(processExitsWith: .failure) {
            let configuration = PlainFunction().configuration
            configuration.addBaseAddress(0, .memory32(size: 4096))
            _ = PCIMessageInterrupts(
                vectors: 257, bar: 0, tableOffset: 0, pendingOffset: 0, configuration: configuration)
        }
    }
}
