// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// The interrupt pins of all harts as one sink: input 64 * hart + the interrupt's number in mip.
final class HartPins: InterruptSink {
    private let mailboxes: [Mailbox]
    private let wake: @Sendable (Int) -> Void

    /// Pins of the harts with these mailboxes; `wake` gets a hart whose pin rose.
    init(_ mailboxes: [Mailbox], wake: @escaping @Sendable (Int) -> Void) {
        self.mailboxes = mailboxes
        self.wake = wake
    }

    func setLine(_ number: Int, level: Bool) {
        let hart = number >> 6
        guard mailboxes.indices.contains(hart) else { return }
        if mailboxes[hart].setLine(number & 63, level: level), level { wake(hart) }
    }

    /// The wire to interrupt `number` of `hart`.
    func line(_ hart: Int, _ number: Int) -> InterruptLine { InterruptLine(to: self, number: hart << 6 | number) }
}

extension BoardSlot: InterruptSink where Chip == PLIC {
    func setLine(_ number: Int, level: Bool) { change { $0.setSource(number, level: level) } }
}
