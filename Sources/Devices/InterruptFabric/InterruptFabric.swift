// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// What carries interrupt messages between a PC's controllers: to the local APICs whose destination they name, and ends
/// of level-triggered interrupts back to the IOAPICs.
///
/// It has no state but a counter, takes no lock and may be called from any thread, with no device's lock held.
public final class InterruptFabric: MessageSink {
    /// The local APICs' inboxes, by processor.
    public let inboxes: [LAPICInbox]
    private let broadcastEnd: @Sendable (UInt8) -> Void
    /// Where the search for the lowest priority begins: equals take turns.
    private let turn = Atomic<Int>(0)

    /// A fabric between `inboxes`. `broadcastEnd` tells the IOAPICs of an EOI of a level-triggered vector.
    public init(_ inboxes: [LAPICInbox], broadcastEnd: @escaping @Sendable (_ vector: UInt8) -> Void) {
        precondition(!inboxes.isEmpty, "a PC has a processor")
        self.inboxes = inboxes
        self.broadcastEnd = broadcastEnd
    }

    /// A write to the message window by a device; other addresses are not for here.
    public func deliver(address: UInt64, data: UInt32) {
        guard let message = InterruptMessage(address: address, data: data) else { return }
        send(message)
    }

    /// Sends `message` to all that it names; of `excluded`, the sender, it is kept away.
    public func send(_ message: InterruptMessage, excluding excluded: UInt32? = nil) {
        if message.delivery == .lowestPriority { return sendToLowest(message, excluding: excluded) }
        for inbox in inboxes where inbox.identity != excluded && inbox.answers(message.destination) {
            inbox.post(message.delivery, vector: message.vector, isLevel: message.isLevel)
        }
    }

    /// What a local APIC asks for.
    public func perform(_ request: LAPIC.Request) {
        switch request {
        case .send(let message, let excluded): send(message, excluding: excluded)
        case .end(let vector): broadcastEnd(vector)
        }
    }

    /// The one of the lowest processor priority gets it (Intel SDM Vol 3A §11.6.2.4).
    private func sendToLowest(_ message: InterruptMessage, excluding excluded: UInt32?) {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        var best: (inbox: LAPICInbox, priority: UInt8)?
        for step in inboxes.indices {
            let inbox = inboxes[(Int(UInt(bitPattern: start) % UInt(inboxes.count)) + step) % inboxes.count]
            guard inbox.identity != excluded, inbox.answers(message.destination) else { continue }
            let route = inbox.route
            guard route.takesVectors else { continue }
            if let found = best, found.priority <= route.priority { continue }
            best = (inbox, route.priority)
        }
        best?.inbox.post(.fixed, vector: message.vector, isLevel: message.isLevel)
    }
}
