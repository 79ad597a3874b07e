// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Disassembler")
struct DisassemblerTests {
    @Test(
        "text is Intel's",
        arguments: [
            ([0x48, 0x89, 0xd8], "mov rax,rbx"), ([0x8b, 0x44, 0x8d, 0xf8], "mov eax,dword ptr [rbp+rcx*4-0x8]"),
            ([0x0f, 0xb6, 0xc4], "movzx eax,ah"), ([0x74, 0xfe], "je 0x1000"), ([0x90], "nop"),
            ([0xf0, 0x48, 0x0f, 0xb1, 0x0a], "lock cmpxchg qword ptr [rdx],rcx"), ([0xf3, 0x48, 0xa5], "rep movsq"),
            ([0x65, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0], "mov rax,qword ptr gs:[0x28]"), ([0x48, 0x98], "cdqe"),
            ([0x8b, 0x05, 0x10, 0, 0, 0], "mov eax,dword ptr [rip+0x10]"), ([0xc8, 8, 0, 1], "enter 0x8,0x1"),
            ([0x41, 0x50], "push r8"), ([0x06], "db 0x6"),
        ] as [([UInt8], String)])
    func text(bytes: [UInt8], expected: String) {
        let found = Disassembler.text(CodeBytes(bytes), at: 0x1000, mode: .long64, features: CPUModel().features)
        #expect(found.text == expected)
    }
}
