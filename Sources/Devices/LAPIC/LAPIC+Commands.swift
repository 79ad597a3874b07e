// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The interrupt command register: messages to other processors (Intel SDM Vol 3A §11.6.1).
///
///     7:0 vector · 10:8 delivery · 11 the destination is logical · 12 still sending, never · 14 assert
///     15 level-triggered · 19:18 shorthand · 63:56 destination (x2APIC: 63:32)
extension LAPIC {
    /// What of the low half can be written: all but the delivery status and what is reserved.
    static var commandBits: UInt32 { 0xC_CFFF }

    private enum Shorthand: UInt32 { case none, toSelf, everyone, others }

    /// Sends what the command register says to `target`.
    func sendCommand(to target: UInt32) {
        let command = UInt32(truncatingIfNeeded: state.command)
        let vector = UInt8(truncatingIfNeeded: command)
        let delivery = InterruptMessage.Delivery(rawValue: UInt8(truncatingIfNeeded: command >> 8) & 7) ?? .reserved
        let isLevel = command & 1 << 15 != 0
        switch delivery {
        // No message may carry these from here.
        case .reserved, .external: return
        // "INIT level de-assert" only synchronizes arbitration, which nothing here needs (§11.6.1).
        case .initialize where isLevel && command & 1 << 14 == 0: return
        case .fixed, .lowestPriority: if vector < 16 { return note(ErrorStatus.sentIllegalVector) }
        default: break
        }
        var destination = destination(target, isLogical: command & 1 << 11 != 0)
        var excluded: UInt32?
        switch Shorthand(rawValue: command >> 18 & 3) ?? .none {
        case .none: break
        case .toSelf: return postToSelf(delivery, vector)
        case .everyone: destination = .everyone
        case .others:
            destination = .everyone
            excluded = inbox.identity
        }
        // The trigger mode of an IPI is an edge, whatever bit 15 says (§11.6.1).
        ask(.send(InterruptMessage(to: destination, delivery, vector: vector), excluding: excluded))
    }

    /// To this processor: at once, without the fabric.
    func postToSelf(_ delivery: InterruptMessage.Delivery, _ vector: UInt8) {
        inbox.post(delivery == .lowestPriority ? .fixed : delivery, vector: vector, isLevel: false)
    }

    private func destination(_ target: UInt32, isLogical: Bool) -> InterruptMessage.Destination {
        let broadcast: UInt32 = mode == .x2APIC ? .max : 0xFF
        if isLogical { return .logical(target) }
        return target == broadcast ? .everyone : .physical(target)
    }
}
