// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Testing

@testable import Machines

@Suite(.serialized, .timeLimit(.minutes(10))) struct VirtMachineCodeTests {
    /// Stores `addi a0, zero, value` and `ret` at s0.
    private static func writeFunction(_ guest: inout GuestAssembler, value: UInt32) {
        guest.li(.t1, UInt64(0x0000_8067) << 32 | UInt64(value << 20 | 10 << 7 | 0x13))
        guest.store(.t1, at: .s0)
    }

    @Test(
        "code that was replaced runs as it is now after fence.i, and after a full sfence.vma",
        arguments: [0x0000_100F, 0x1200_0073] as [UInt32])
    func replacedCode(fence: UInt32) throws {
        let callS0: UInt32 = 8 << 15 | 1 << 7 | 0x67
        let test = try TestMachine { guest in
            guest.li(.s0, 0x8040_0000)
            Self.writeFunction(&guest, value: 1)
            guest.word(callS0)
            Self.writeFunction(&guest, value: 2)
            guest.word(fence)
            guest.word(callS0)
            guest.slli(.a0, .a0, 16)
            guest.li(.t1, 0x3333)
            guest.add(.t1, .t1, .a0)
            guest.li(.t0, 0x10_0000)
            guest.store(.t1, at: .t0, width: 2)
            guest.label("stay")
            guest.jump("stay")
        }
        #expect(try test.run() == .poweredOff(code: 2))
    }
}
