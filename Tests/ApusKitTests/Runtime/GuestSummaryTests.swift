// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusKit

@Suite("GuestSummary")
struct GuestSummaryTests {
    @Test(
        "an age has its two largest units",
        arguments: [
            (0, "0s"), (59, "59s"), (60, "1m0s"), (3599, "59m59s"), (3600, "1h0m"), (90_000, "1d1h"), (-5, "0s"),
        ] as [(Int64, String)])
    func age(_ seconds: Int64, _ text: String) {
        #expect(GuestSummary.age(seconds) == text)
    }

    private func kept(_ reason: VirtualMachineEnd.Reason?, hasRun: Bool) throws -> GuestSummary {
        var guest = KeptGuest(
            name: try GuestName(parsing: "web"), image: nil, created: 0,
            configuration: VirtualMachineConfiguration(bootLoader: .bare(kernel: "k")))
        guest.hasRun = hasRun
        guest.lastEnd = reason.map(VirtualMachineEnd.init(reason:))
        return GuestSummary(guest)
    }

    @Test("a kept guest says how its last run ended")
    func stateText() throws {
        #expect(try kept(nil, hasRun: false).stateText == "created")
        #expect(try kept(nil, hasRun: true).stateText == "lost")
        #expect(try kept(.poweredOff(code: 0), hasRun: true).stateText == "stopped")
        #expect(try kept(.poweredOff(code: 3), hasRun: true).stateText == "stopped (3)")
        #expect(try kept(.panicked("x"), hasRun: true).stateText == "panicked")
    }

    @Test("a guest whose process does not answer is unresponsive")
    func silent() throws {
        let summary = GuestSummary(GuestRecord(name: try GuestName(parsing: "web")), nil)
        #expect(summary.state == .unresponsive)
        #expect(GuestSummary.table([summary]).contains("web"))
    }
}

@Suite("GuestLoad")
struct GuestLoadTests {
    private func usage(_ count: UInt64, cpu: UInt64, time: UInt64) -> GuestUsage {
        GuestUsage(
            cpuTime: cpu, residentMemory: 64 << 20, diskRead: count, diskWritten: count, networkReceived: count,
            networkSent: count, exits: count, time: time)
    }

    @Test("what was counted between two looks is told a second")
    func rates() {
        let load = GuestLoad(
            GuestRecord(), from: usage(100, cpu: 1_000_000_000, time: 0),
            to: usage(300, cpu: 2_500_000_000, time: 2_000_000_000))
        #expect(load.cpu == 75)
        #expect(load.diskRead == 100)
        #expect(load.exits == 100)
    }

    @Test("a machine that counts anew has no negative load")
    func reset() {
        let load = GuestLoad(GuestRecord(), from: usage(300, cpu: 5, time: 0), to: usage(100, cpu: 5, time: 0))
        #expect(load.networkSent == 0)
        #expect(load.cpu == 0)
    }
}
