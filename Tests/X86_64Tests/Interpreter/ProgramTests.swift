// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("Small programs")
struct ProgramTests {
    @Test("a loop counts down")
    func loop() {
        let fixture = UserFixture()
        // mov ecx,1000; xor eax,eax; top: add eax,ecx; dec ecx; jnz top
        let ending = fixture.run([0xb9, 0xe8, 3, 0, 0, 0x31, 0xc0, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa])
        #expect(ending == .finished)
        #expect(fixture[0] == 500_500)
        #expect(fixture[1] == 0)
    }

    @Test("a call pushes where it returns to")
    func call() {
        let fixture = UserFixture()
        // call +3; jmp +4; nop; mov al,7; ret; nop
        let ending = fixture.run([0xe8, 3, 0, 0, 0, 0xeb, 4, 0x90, 0xb0, 7, 0xc3, 0x90])
        #expect(ending == .fault(.generalProtection, at: UserFixture.code + 11) || ending == .finished)
        #expect(fixture[0] == 7)
        #expect(fixture[4] == UserFixture.stack)
    }

    @Test("code that overwrites the next instruction runs what it wrote")
    func selfModifying() {
        let fixture = UserFixture()
        // lea rdi,[rip+2]; mov byte [rip+1],0x2a... : c6 05 01 00 00 00 2a  mov byte [rip+1], 0x2a ; b0 00 mov al,0
        let ending = fixture.run([0xc6, 0x05, 1, 0, 0, 0, 0x2a, 0xb0, 0x00])
        #expect(ending == .finished)
        #expect(fixture[0] & 0xff == 0x2a)
    }

    @Test("a loop that rewrites its own immediate is decoded anew each time")
    func selfModifyingLoop() {
        let fixture = UserFixture()
        // mov ecx,5; top: mov al,0; inc byte [rip-8] (the immediate of mov al); dec ecx; jnz top
        let ending = fixture.run([
            0xb9, 5, 0, 0, 0, 0xb0, 0, 0xfe, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x75, 0xf4,
        ])
        #expect(ending == .finished)
        #expect(fixture[0] & 0xff == 4)
    }

    @Test("string moves copy up, overlapping ones repeat a pattern")
    func stringMoves() {
        let fixture = UserFixture()
        fixture.ram[UserFixture.data] = 0x0807_0605_0403_0201
        fixture[6] = UserFixture.data
        fixture[7] = UserFixture.data + 2
        fixture[1] = 9000
        // rep movsb
        #expect(fixture.run([0xf3, 0xa4]) == .finished)
        #expect(fixture[1] == 0)
        #expect(fixture[6] == UserFixture.data + 9000)
        #expect(fixture.ram[UserFixture.data + 8994] == 0x0201_0201_0201_0201)
    }

    @Test("what has no row is undefined")
    func undefined() {
        let fixture = UserFixture()
        #expect(fixture.run([0x06]) == .fault(.invalidOpcode, at: UserFixture.code))
        #expect(fixture.run([0xf0, 0x90]) == .fault(.invalidOpcode, at: UserFixture.code))
        #expect(fixture.run([0x0f, 0x0b]) == .fault(.invalidOpcode, at: UserFixture.code))
    }

    @Test("an instruction of more than 15 bytes is a general-protection fault")
    func tooLong() {
        let fixture = UserFixture()
        let prefixes = [UInt8](repeating: 0x66, count: 15)
        #expect(fixture.run(prefixes + [0x90]) == .fault(.generalProtection, at: UserFixture.code))
    }

    @Test("16-bit code addresses its segments")
    func segments() {
        let fixture = UserFixture(mode: .legacy16)
        fixture.ram[UserFixture.data + 0x10] = 0x1234
        // mov bx,0x10; mov ax,[bx]; push ax; pop cx
        #expect(fixture.run([0xbb, 0x10, 0, 0x8b, 0x07, 0x50, 0x59]) == .finished)
        #expect(fixture[1] & 0xffff == 0x1234)
    }
}
