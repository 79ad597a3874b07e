// SPDX-License-Identifier: Apache-2.0

/// What of a guest's frames libslirp gets to see.
///
/// libslirp opens a socket of this host's for whatever address a guest names, so that, left alone, a guest reaches every
/// service of the host by one of the host's addresses; libslirp's own option covers the gateway's address only. Here
/// each frame is read before libslirp sees it. What may pass is listed; all else is dropped, or refused where that is
/// kinder to the guest.
///
/// A forwarded connection comes from an address that is closed to the guest: from the gateway, or from the host. What
/// libslirp sends to the guest from there is noted, and answers to it pass, but never the opening of a connection.
struct FrameFilter {
    enum Verdict: Equatable {
        case pass
        case drop
        /// Dropped, and the guest is to get this frame as the answer.
        case refuse([UInt8])
    }

    /// Whether the guest may reach this host.
    let reachesHost: Bool
    /// The addresses of this host, broadcast addresses among them.
    var hostAddresses: Set<Address> = []
    private var flows = FlowTable()

    init(reachesHost: Bool) { self.reachesHost = reachesHost }

    /// What becomes of `frame` from the guest at `now`, in nanoseconds.
    mutating func judge(_ frame: [UInt8], now: UInt64) -> Verdict {
        switch Contents(frame) {
        case .nonsense: return .drop
        case .arp: return .pass
        case .packet(let packet):
            switch standing(of: packet.destination) {
            case .open: return .pass
            case .gateway: return judgeGateway(packet, frame, now)
            case .nameServer: return judgeNameServer(packet, frame)
            case .group: return passesToGroup(packet) ? .pass : .drop
            case .closed: return judgeClosed(packet, frame, now)
            case .invalid: return .drop
            }
        }
    }

    /// Notes a frame for the guest: what comes from where the guest may not go is a forward's.
    mutating func note(toGuest frame: [UInt8], now: UInt64) {
        guard case .packet(let packet) = Contents(frame) else { return }
        switch standing(of: packet.source) {
        case .closed, .gateway: flows.note(packet, now: now)
        default: break
        }
    }

    // MARK: Addresses

    private enum Standing {
        case open
        case gateway
        case nameServer
        /// Broadcast or multicast.
        case group
        /// Not for this guest.
        case closed
        /// For nobody: never right on a wire.
        case invalid
    }

    private func standing(of address: Address) -> Standing {
        switch address {
        case VirtualNetwork.gateway4, VirtualNetwork.gateway6, VirtualNetwork.linkGateway6: return .gateway
        case VirtualNetwork.nameServer4, VirtualNetwork.nameServer6, VirtualNetwork.linkNameServer6: return .nameServer
        case .v4: return standing4(address)
        case .v6: return standing6(address)
        }
    }

    private func standing4(_ address: Address) -> Standing {
        // RFC 1122 §3.2.1.3: 0/8 and 127/8 never leave a host. 240/4 is reserved.
        if address.isIn(.v4(0, 0, 0, 0), 8) || address.isIn(.v4(127, 0, 0, 0), 8) { return .invalid }
        if address == .v4(255, 255, 255, 255) { return .group }
        if address.isIn(.v4(224, 0, 0, 0), 4) || address.isIn(.v4(240, 0, 0, 0), 4) { return .invalid }
        if address.isIn(VirtualNetwork.network4, VirtualNetwork.prefix4) { return .closed }
        if reachesHost { return .open }
        // RFC 3927: link-local, where clouds keep their metadata and credentials.
        if address.isIn(.v4(169, 254, 0, 0), 16) || hostAddresses.contains(address) { return .closed }
        return .open
    }

    private func standing6(_ address: Address) -> Standing {
        // RFC 4291 §2.5: unspecified, loopback, IPv4-compatible and IPv4-mapped: sockets treat the last as IPv4.
        if address.isIn(.v6(0, 0), 96) || address.isIn(.v6(0, 0xFFFF_0000_0000), 96) { return .invalid }
        if address.isIn(.v6(0xFF00_0000_0000_0000, 0), 8) { return .group }
        if address.isIn(VirtualNetwork.network6, VirtualNetwork.prefix6) { return .closed }
        if let embedded = address.embedded, standing4(embedded) != .open { return .closed }
        if address.isIn(.v6(0xFE80_0000_0000_0000, 0), 10) { return .closed }
        return !reachesHost && hostAddresses.contains(address) ? .closed : .open
    }

    // MARK: Rules

    /// The gateway: DHCP, echo and neighbour discovery always; the host's loopback only where that is allowed.
    private func judgeGateway(_ packet: Packet, _ frame: [UInt8], _ now: UInt64) -> Verdict {
        switch packet.transport {
        case .icmp: return .pass
        case .udp(_, destination: 67): return .pass
        case _ where reachesHost: return .pass
        default: return judgeClosed(packet, frame, now)
        }
    }

    /// The name server: only names. libslirp would pass other ports on to the host's own name server.
    private func judgeNameServer(_ packet: Packet, _ frame: [UInt8]) -> Verdict {
        switch packet.transport {
        case .udp(_, destination: 53), .icmp: .pass
        case .tcp(let header) where header.destination == 53: .pass
        default: refusal(packet, frame)
        }
    }

    /// Group addresses: what finds a router or an address. All else would go out on the host's own networks.
    private func passesToGroup(_ packet: Packet) -> Bool {
        switch (packet.destination, packet.transport) {
        case (.v4, .udp(_, destination: 67)): true
        // RFC 4861 §4: router solicitation, neighbour solicitation and advertisement.
        case (.v6, .icmp(133)), (.v6, .icmp(135)), (.v6, .icmp(136)): true
        // RFC 8415 §7: all DHCP relay agents and servers.
        case (.v6(0xFF02_0000_0000_0000, 0x0001_0002), .udp(_, destination: 547)): true
        default: false
        }
    }

    private func judgeClosed(_ packet: Packet, _ frame: [UInt8], _ now: UInt64) -> Verdict {
        flows.isAnswer(packet, now: now) ? .pass : refusal(packet, frame)
    }

    private func refusal(_ packet: Packet, _ frame: [UInt8]) -> Verdict {
        Refusal.answer(to: packet, in: frame).map { .refuse($0) } ?? .drop
    }
}
