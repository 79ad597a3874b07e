// SPDX-License-Identifier: Apache-2.0

import Foundation
import MachineCore
import Testing

@testable import Machines

@Suite(.serialized, .timeLimit(.minutes(10))) struct VirtMachineEndTests {
    @Test(
        "the finisher ends the machine with the guest's code",
        arguments: [
            (0x5555, 0), (0x3333 | 7 << 16, 7), (0x3333, 1), (0x3333 | 0xFFFF << 16, 65535),
        ] as [(UInt64, Int32)])
    func finisher(value: UInt64, code: Int32) throws {
        let test = try TestMachine { $0.finish(value) }
        #expect(try test.run() == .poweredOff(code: code))
        #expect(test.machine.state == .ended)
        #expect(test.events.all == [.state(.running), .state(.ended), .ended(.poweredOff(code: code))])
    }

    @Test("tohost ends the machine with the program's number", arguments: [(1, 0), (3, 1), (1337 << 1 | 1, 1337)])
    func toHost(value: UInt64, code: Int32) throws {
        let test = try TestMachine(symbols: [("tohost", 0x8000_0800)]) { guest in
            guest.li(.t0, 0x8000_0800)
            guest.li(.t1, value)
            guest.label("again")
            guest.store(.t1, at: .t0)
            guest.jump("again")
        }
        #expect(try test.run() == .poweredOff(code: code))
    }

    @Test("HTIF's console takes a byte a command")
    func hostConsole() throws {
        let test = try TestMachine(symbols: [("tohost", 0x8000_0800), ("fromhost", 0x8000_0808)]) { guest in
            guest.li(.t0, 0x8000_0800)
            for (index, byte) in "ok\n".utf8.enumerated() {
                guest.li(.t1, 1 << 56 | 1 << 48 | UInt64(byte))
                guest.store(.t1, at: .t0)
                guest.label("wait\(index)")
                guest.load(.t2, .t0)
                guest.branchNotEqual(.t2, .zero, "wait\(index)")
            }
            guest.finish(0x5555)
        }
        #expect(try test.run() == .poweredOff(code: 0))
        #expect(test.console.text == "ok\n")
    }

    @Test("the SBI's shutdown powers off, by reason", arguments: [(0, 0), (1, 1)] as [(UInt64, Int32)])
    func systemReset(reason: UInt64, code: Int32) throws {
        let test = try TestMachine(underSBI: true) { guest in
            guest.li(.a0, 0)
            guest.li(.a1, reason)
            guest.callSBI(0x5352_5354, 0)
            guest.finish(0x3333 | 99 << 16)
        }
        #expect(try test.run() == .poweredOff(code: code))
    }

    @Test("stop ends a guest that never will, and returns to whoever waits")
    func stop() throws {
        let test = try TestMachine { guest in
            guest.label("forever")
            guest.jump("forever")
        }
        try test.machine.start()
        test.machine.stop()
        #expect(test.waitForEnd() == .stopped)
        #expect(test.machine.waitForEnd() == .stopped)
    }

    @Test("a machine starts once, and calls after its end have no effect")
    func startsOnce() throws {
        let test = try TestMachine { $0.finish(0x5555) }
        #expect(try test.run() == .poweredOff(code: 0))
        #expect(throws: MachineError.self) { try test.machine.start() }
        test.machine.pause()
        test.machine.resume()
        test.machine.reset()
        test.machine.stop()
        #expect(test.machine.step(hart: 0) == nil)
        #expect(test.machine.waitForEnd() == .poweredOff(code: 0))
    }

    /// Names of the machine's threads, and how many descriptors the process has.
    private static var footprint: (threads: [String], descriptors: Int) {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return (
            names.filter { $0.hasPrefix("vcpu") || $0.hasPrefix("conductor") || $0.hasPrefix("timers") },
            descriptors.count
        )
    }

    @Test("a machine that is over leaves no thread, and one that is gone no descriptor")
    func leavesNothing() async {
        // In a process of its own: other suites run machines of theirs meanwhile.
        await #expect(processExitsWith: .success) {
            let before = VirtMachineEndTests.footprint.descriptors
            for _ in 0..<20 {
                let test = try TestMachine(harts: 4) { $0.finish(0x5555) }
                #expect(try test.run() == .poweredOff(code: 0))
                #expect(VirtMachineEndTests.footprint.threads == [])
            }
            #expect(VirtMachineEndTests.footprint.descriptors <= before + 4)
        }
    }

    @Test("a machine that was never started is let go of without a trace")
    func neverStarted() async {
        await #expect(processExitsWith: .success) {
            let before = VirtMachineEndTests.footprint.descriptors
            for _ in 0..<20 { _ = try TestMachine(harts: 4) { $0.finish(0x5555) } }
            #expect(VirtMachineEndTests.footprint.descriptors <= before + 4)
        }
    }

    /// A configuration that a machine refuses.
    struct Refusal: Sendable {
        let text: String
        let change: @Sendable (inout VirtConfiguration) -> Void

        init(_ text: String, _ change: @escaping @Sendable (inout VirtConfiguration) -> Void) {
            self.text = text
            self.change = change
        }
    }

    @Test(
        "what a machine does not have is refused in a sentence",
        arguments: [
            Refusal("1 to 16 CPUs, not 0") { $0.harts = 0 },
            Refusal("not 17") { $0.harts = 17 },
            Refusal("1 MiB of memory") { $0.memorySize = 1 << 20 },
            Refusal("whole number of pages") { $0.memorySize = (64 << 20) + 1 },
            Refusal("outside of what") { $0.memorySize = 1 << 50 },
            Refusal("more than 2047") { $0.boot.commandLine = String(repeating: "x", count: 2048) },
            Refusal("9 virtio devices do not fit") { configuration in
                configuration.transport = .mmio
                configuration.networks = Array(
                    repeating: NetworkAttachment(Nowhere(), address: [2, 0, 0, 0, 0, 1]) { _ in }, count: 8)
            },
        ])
    func refused(refusal: Refusal) {
        let error = #expect(throws: MachineError.self) {
            _ = try TestMachine(configure: refusal.change) { $0.wfi() }
        }
        #expect(error?.description.contains(refusal.text) == true, "\(String(describing: error))")
    }

    private final class Nowhere: NetworkBackend {
        func send(_ frame: [UInt8]) {}
        func resume() {}
    }
}
