// SPDX-License-Identifier: Apache-2.0

/// Who has spoken to the guest from an address that the guest may not call: the forwards' peers. Bounded; where it is
/// full the flow that was silent longest goes.
struct FlowTable {
    private struct Flow: Hashable {
        let peer: Address
        let peerPort: UInt16
        let guest: Address
        let guestPort: UInt16
        let isTCP: Bool
    }

    /// More than the child may have sockets.
    static let capacity = 4096
    /// How long an answer to a datagram may take, in nanoseconds: what libslirp keeps its socket for.
    static let datagramLifetime: UInt64 = 240 * 1_000_000_000

    /// When each flow was last heard of.
    private var lastHeard: [Flow: UInt64] = [:]

    var count: Int { lastHeard.count }

    /// Notes `packet`, which goes to the guest.
    mutating func note(_ packet: Packet, now: UInt64) {
        guard let flow = Self.flow(packet, toGuest: true) else { return }
        if lastHeard[flow] == nil, lastHeard.count >= Self.capacity {
            if let oldest = lastHeard.min(by: { $0.value < $1.value })?.key { lastHeard[oldest] = nil }
        }
        lastHeard[flow] = now
    }

    /// Whether `packet` from the guest answers what was noted. The opening of a connection never does.
    func isAnswer(_ packet: Packet, now: UInt64) -> Bool {
        guard let flow = Self.flow(packet, toGuest: false), let heard = lastHeard[flow] else { return false }
        if case .tcp(let header) = packet.transport { return header.isLaterSegment }
        return now < heard + Self.datagramLifetime
    }

    private static func flow(_ packet: Packet, toGuest: Bool) -> Flow? {
        let (peer, guest) = toGuest ? (packet.source, packet.destination) : (packet.destination, packet.source)
        switch packet.transport {
        case .tcp(let header):
            let ports = toGuest ? (header.source, header.destination) : (header.destination, header.source)
            return Flow(peer: peer, peerPort: ports.0, guest: guest, guestPort: ports.1, isTCP: true)
        case .udp(let source, let destination):
            let ports = toGuest ? (source, destination) : (destination, source)
            return Flow(peer: peer, peerPort: ports.0, guest: guest, guestPort: ports.1, isTCP: false)
        case .icmp, .fragment: return nil
        }
    }
}
