// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusKit

@Suite struct X8664RegisterTests {
    private static let registers = DebugRegisterSet.x86_64

    @Test("numbers run on without a gap, and each names one register")
    func numbers() {
        let all = Self.registers.features.flatMap(\.registers)
        #expect(all.map(\.number) == Array(0..<all.count))
        #expect(Set(all.map(\.name)).count == all.count)
    }

    @Test("the registers that a debugger asks for at once are its own forty, in its order")
    func general() {
        let names = Self.registers.general.map(\.name)
        #expect(names.count == 40)
        #expect(names.prefix(8) == ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"])
        #expect(names[16...17] == ["rip", "eflags"])
        #expect(names[18...23] == ["cs", "ss", "ds", "es", "fs", "gs"])
        #expect(Self.registers.general[24...31].allSatisfy { $0.bits == 80 })
        #expect(Self.registers[Self.registers.programCounter]?.name == "rip")
    }

    @Test("the description names the architecture and defines the flags")
    func description() {
        #expect(Self.registers.description.contains("<architecture>i386:x86-64</architecture>"))
        #expect(Self.registers.description.contains("<field name=\"ZF\" start=\"6\" end=\"6\"/>"))
    }

    @Test(
        "a line of the trace says who went where, and why",
        arguments: [
            (UInt8(14), "processor 1 3>0 exception 14 page fault rip 0x"), (33, "processor 1 3>0 interrupt 33 rip 0x"),
        ] as [(UInt8?, String)] + [(nil, "processor 1 3>0 transfer rip 0x")])
    func trace(vector: UInt8?, start: String) {
        let line = ProcessorTraceLine(processor: 1, from: 3, to: 0, rip: 0x1234, vector: vector, code: 6)
        #expect(line.text.hasPrefix(start))
        #expect(line.text.hasSuffix("1234 code 0x6\n"))
    }
}
