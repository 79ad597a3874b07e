// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("How a machine ended")
struct VirtualMachineEndTests {
    @Test(
        "the exit status is the guest's own, or docker's",
        arguments: [
            (.poweredOff(code: 0), 0), (.poweredOff(code: 7), 7),
            (.poweredOff(code: 256), 1), (.poweredOff(code: 0x1_0007), 7), (.poweredOff(code: -1), 255),
            (.panicked("x"), 70), (.reset, 0), (.failed("x"), 125), (.stopped(.caller), 0), (.stopped(.timeout), 124),
            (.stopped(.signal(15)), 143), (.stopped(.debugger), 137), (.stopped(.command(status: 3)), 3),
        ] as [(VirtualMachineEnd.Reason, Int32)])
    func status(_ reason: VirtualMachineEnd.Reason, _ status: Int32) {
        #expect(VirtualMachineEnd(reason: reason).exitStatus == status)
    }
}
