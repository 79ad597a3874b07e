// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Testing
import VMMemory
import X86_64

@testable import Machines

/// A flat Multiboot kernel of a few instructions of 32-bit code, written out: `code` begins at 0x10_0020.
struct TestPC {
    let machine: PCMachine
    let console = RecordingStream()

    static let start: UInt64 = 0x10_0020

    init(
        _ code: [UInt8], processors: Int = 1, configure: (inout PCConfiguration) -> Void = { _ in }
    ) throws {
        let header = TestKernels.multiboot(
            flags: 1 << 16, addresses: [0x10_0000, 0x10_0000, 0, 0x10_8000, UInt32(Self.start)])
        var configuration = PCConfiguration(boot: BootSource(kernel: .bytes(header + code, name: "guest")))
        configuration.processors = processors
        configuration.memorySize = 16 << 20
        configuration.serial = console.attachment
        configure(&configuration)
        machine = try PCMachine(configuration)
    }

    /// Runs to the end. A guest that does not come to one is stopped after `seconds`.
    func run(seconds: UInt64 = 20) throws -> MachineEnd {
        try machine.start()
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

    /// `mov dx, port; mov al, value; out dx, al`
    static func out(_ value: UInt8, to port: UInt16) -> [UInt8] {
        [0x66, 0xBA, UInt8(truncatingIfNeeded: port), UInt8(port >> 8), 0xB0, value, 0xEE]
    }

    /// `mov dx, port; mov ax, value; out dx, ax`
    static func outWord(_ value: UInt16, to port: UInt16) -> [UInt8] {
        [0x66, 0xBA, UInt8(truncatingIfNeeded: port), UInt8(port >> 8)]
            + [0x66, 0xB8, UInt8(truncatingIfNeeded: value), UInt8(value >> 8), 0x66, 0xEF]
    }

    /// `jmp` to itself.
    static let forever: [UInt8] = [0xEB, 0xFE]
    static let powerOff = outWord(0x2000, to: 0x604) + forever
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct PCMachineTests {
    @Test("a guest speaks by COM1 and switches off by ACPI")
    func speaks() throws {
        let test = try TestPC(Array("hi\n".utf8).flatMap { TestPC.out($0, to: 0x3F8) } + TestPC.powerOff)
        #expect(try test.run() == .poweredOff(code: 0))
        #expect(test.console.text == "hi\n")
    }

    @Test("the first processor starts as its boot protocol says, the others wait for it")
    func starts() throws {
        let test = try TestPC(TestPC.forever, processors: 2, configure: { $0.startsPaused = true })
        try test.machine.start()
        test.machine.withProcessor(0) { processor in
            #expect(processor.rip == TestPC.start)
            #expect(processor[general: 0] == 0x2BAD_B002)
            #expect(processor.registers.cr0 & 0x8000_0001 == 1)
            #expect(processor.registers.segments[1].selector == 0x10)
            #expect(processor.registers.segments[1].limit == .max)
            #expect(processor.registers.gdtr.base == 0x500)
        }
        #expect(test.machine.withProcessor(1) { $0.registers.activity } == .waitForStartup)
        test.machine.stop()
        #expect(test.machine.waitForEnd() == .stopped)
    }

    @Test("the reset control register begins again, or ends a machine that is to end")
    func resets() throws {
        let test = try TestPC(TestPC.out(6, to: 0xCF9) + TestPC.forever, configure: { $0.onReset = .exit })
        #expect(try test.run() == .reset)
    }

    @Test(
        "what cannot be is refused in a sentence",
        arguments: [
            (0, 16, "an x86-64 machine has 1 to 16 CPUs, not 0"),
            (17, 16, "an x86-64 machine has 1 to 16 CPUs, not 17"),
            (1, 8, "8 MiB of memory is outside of what an x86-64 machine takes: 16 MiB to 512 GiB"),
        ] as [(Int, UInt64, String)])
    func refused(processors: Int, megabytes: UInt64, sentence: String) {
        #expect(throws: MachineError.configuration(sentence)) {
            try TestPC(TestPC.forever, processors: processors, configure: { $0.memorySize = megabytes << 20 })
        }
    }

    @Test("test suites find their devices, and pull wires of both interrupt controllers")
    func testDevices() throws {
        let test = try TestPC(
            TestPC.forever,
            configure: {
                $0.startsPaused = true
                $0.testDevices = [.board, .function]
            })
        try test.machine.start()
        defer { test.machine.stop() }
        let seen = test.machine.withProcessor(0) { processor -> [UInt64] in
            let door = processor.door
            door.portWrite(0x9999, at: 0xE0, width: .half)
            door.portWrite(1, at: 0x2005, width: .byte)
            door.portWrite(0x0A, at: 0x20, width: .byte)
            _ = door.busWrite(0x1234_5678, at: GuestAddress(0xFF00_0100), width: .word)
            return [
                door.portRead(at: 0xE0, width: .half), door.portRead(at: 0x20, width: .byte),
                door.busRead(at: GuestAddress(0xFF00_0100), width: .word) ?? 0,
            ]
        }
        #expect(seen == [0x9999, 1 << 5, 0x1234_5678])
        #expect(test.configuration(device: 30, register: 0, width: .word) == 0x0005_1B36)
    }

    @Test("base addresses have places before the guest starts, each its own, within the windows")
    func assigned() throws {
        let test = try TestPC(TestPC.forever, configure: { $0.startsPaused = true })
        try test.machine.start()
        defer { test.machine.stop() }
        // The entropy device is the first on the bus, pvpanic the last.
        #expect(test.configuration(device: 1, register: 0, width: .half) == 0x1AF4)
        #expect(try #require(test.configuration(device: 31, register: 0x10, width: .word)) & ~15 >= 0xC000_0000)
        #expect(test.configuration(device: 1, register: 0x3C, width: .byte).map(UInt8.init) == 10)
        #expect(test.configuration(device: 2, register: 0, width: .word) == 0xFFFF_FFFF)
    }
}

extension TestPC {
    /// A function's register as the guest reads it by ports 0xCF8 and 0xCFC.
    func configuration(device: UInt64, register: UInt64, width: AccessWidth) -> UInt64? {
        machine.withProcessor(0) { processor in
            processor.door.portWrite(1 << 31 | device << 11 | register & ~3, at: 0xCF8, width: .word)
            return processor.door.portRead(at: 0xCFC + UInt16(register & 3), width: width)
        }
    }
}
