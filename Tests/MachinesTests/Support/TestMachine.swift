// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization

@testable import Machines

/// A console that keeps what the guest says and gives it what the test says.
final class RecordingStream: StreamBackend {
    private let output = Mutex<[UInt8]>([])
    private let delivery = Mutex<StreamAttachment.Delivery?>(nil)

    var text: String { String(decoding: output.withLock { $0 }, as: UTF8.self) }
    func send(_ bytes: [UInt8]) -> Int {
        output.withLock { $0 += bytes }
        return bytes.count
    }
    func resume() {}
    func deliver(_ bytes: [UInt8]) -> Int { delivery.withLock { $0 }?(bytes) ?? 0 }
    var attachment: StreamAttachment {
        StreamAttachment(self) { [self] give, _ in delivery.withLock { $0 = give } }
    }
}

/// A machine around a guest of a few instructions, with all it says kept.
struct TestMachine {
    let machine: VirtMachine
    let console = RecordingStream()
    let events = EventList()

    final class EventList: Sendable {
        private let list = Mutex<[MachineEvent]>([])
        func append(_ event: MachineEvent) { list.withLock { $0.append(event) } }
        var all: [MachineEvent] { list.withLock { $0 } }
    }

    /// A bare program in M-mode at the start of RAM, or with `underSBI` a kernel in S-mode.
    init(
        harts: Int = 1, underSBI: Bool = false, symbols: [(name: String, value: UInt64)] = [],
        configure: (inout VirtConfiguration) -> Void = { _ in }, _ build: (inout GuestAssembler) -> Void
    ) throws {
        var elf = TestELF()
        elf.segments = [(0x8000_0000, 0x8000_0000, GuestAssembler(build).bytes, 0x1000)]
        elf.symbols = symbols
        var configuration = VirtConfiguration(
            boot: BootSource(firmware: underSBI ? .builtIn : .none, kernel: .bytes(elf.bytes, name: "guest")))
        configuration.harts = harts
        configuration.memorySize = 16 << 20
        configuration.serial = console.attachment
        configuration.onEvent = { [events] in events.append($0) }
        configure(&configuration)
        machine = try VirtMachine(configuration)
    }

    /// Runs to the end. A guest that does not come to one is stopped after `seconds`.
    func run(seconds: UInt64 = 20) throws -> MachineEnd {
        try machine.start()
        return waitForEnd(seconds: seconds)
    }

    func waitForEnd(seconds: UInt64 = 20) -> MachineEnd {
        let over = WaitGate()
        let machine = machine
        let guardian = try? HostThread(name: "guardian") {
            if !over.wait(untilMonotonic: MonotonicTime.after(milliseconds: seconds * 1000)) { machine.stop() }
        }
        let end = machine.waitForEnd()
        over.wake()
        guardian?.join()
        return end
    }

    /// Waits until `condition` holds; false after `seconds`.
    static func wait(seconds: UInt64 = 20, until condition: () -> Bool) -> Bool {
        let deadline = MonotonicTime.after(milliseconds: seconds * 1000)
        let gate = WaitGate()
        while !condition() {
            if MonotonicTime.now > deadline { return false }
            gate.wait(untilMonotonic: MonotonicTime.now + 1_000_000)
        }
        return true
    }
}
