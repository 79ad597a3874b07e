// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import apus_net

extension FrameFilter.Verdict {
    /// The verdict without its answer.
    fileprivate var kind: String {
        switch self {
        case .pass: "pass"
        case .drop: "drop"
        case .refuse: "refuse"
        }
    }
}

/// An address as it is written here: IPv4, or the 16 bytes of IPv6 by their halves.
private func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> Address { .v4(a, b, c, d) }

private let hostAddresses: Set<Address> = [
    v4(192, 0, 2, 1), v4(192, 0, 2, 255), .v6(0x2001_0DB8_0000_0000, 1), .v6(0xFE80_0000_0000_0000, 0x1234),
]

private func makeFilter(reachesHost: Bool = false) -> FrameFilter {
    var filter = FrameFilter(reachesHost: reachesHost)
    filter.hostAddresses = hostAddresses
    return filter
}

@Suite struct FrameFilterTests {
    static let closed: [Address] = [
        v4(192, 0, 2, 1), v4(192, 0, 2, 255), v4(169, 254, 0, 1), v4(169, 254, 169, 254), v4(10, 0, 2, 2),
        v4(10, 0, 2, 1), v4(10, 0, 2, 77), v4(10, 0, 2, 255), .v6(0x2001_0DB8_0000_0000, 1),
        .v6(0xFE80_0000_0000_0000, 0x1234), .v6(0xFE80_0000_0000_0000, 2), .v6(0xFE80_0000_0000_0000, 0x9999),
        .v6(0xFEC0_0000_0000_0000, 2), .v6(0xFEC0_0000_0000_0000, 0x77),
        // NAT64 and 6to4 of what is closed.
        .v6(0x0064_FF9B_0000_0000, 0xC000_0201), .v6(0x0064_FF9B_0000_0000, 0x7F00_0001), .v6(0x2002_C000_0201_0000, 1),
        .v6(0x2002_A9FE_A9FE_0000, 0),
    ]
    static let invalid: [Address] = [
        v4(0, 0, 0, 0), v4(0, 1, 2, 3), v4(127, 0, 0, 1), v4(127, 255, 255, 254), v4(240, 0, 0, 1), v4(224, 0, 0, 1),
        v4(239, 255, 255, 250), v4(255, 255, 255, 255), .v6(0, 0), .v6(0, 1), .v6(0, 0x7F00_0001),
        .v6(0, 0xFFFF_7F00_0001), .v6(0, 0xFFFF_C000_0201), .v6(0, 0xFFFF_0808_0808), .v6(0xFF02_0000_0000_0000, 1),
        .v6(0xFF05_0000_0000_0000, 0x1234),
    ]
    static let open: [Address] = [
        v4(8, 8, 8, 8), v4(192, 0, 2, 2), v4(10, 0, 3, 1), v4(169, 253, 255, 255), v4(128, 0, 0, 1),
        .v6(0x2001_0DB8_0000_0000, 2), .v6(0x2606_4700_0000_0000, 0x1111), .v6(0x0064_FF9B_0000_0000, 0x0808_0808),
        .v6(0x2002_0808_0808_0000, 1),
    ]

    @Test("a closed address refuses TCP and UDP", arguments: closed)
    func refuses(address: Address) {
        var filter = makeFilter()
        #expect(filter.judge(Frames.tcp(to: address, port: 22), now: 0).kind == "refuse")
        #expect(filter.judge(Frames.udp(to: address, port: 53), now: 0).kind == "refuse")
    }

    @Test(
        "an address for nobody is dropped, and for the guest that may reach the host too", arguments: invalid,
        [false, true])
    func drops(address: Address, reachesHost: Bool) {
        var filter = makeFilter(reachesHost: reachesHost)
        #expect(filter.judge(Frames.tcp(to: address, port: 22), now: 0) == .drop)
        #expect(filter.judge(Frames.udp(to: address, port: 53), now: 0) == .drop)
        #expect(filter.judge(Frames.echo(to: address), now: 0) == .drop)
    }

    @Test("an address of the world is open", arguments: open, [false, true])
    func passes(address: Address, reachesHost: Bool) {
        var filter = makeFilter(reachesHost: reachesHost)
        #expect(filter.judge(Frames.tcp(to: address, port: 22), now: 0) == .pass)
        #expect(filter.judge(Frames.udp(to: address, port: 53), now: 0) == .pass)
        #expect(filter.judge(Frames.echo(to: address), now: 0) == .pass)
    }

    @Test(
        "a guest that may reach the host reaches its addresses and the gateway",
        arguments: [
            v4(192, 0, 2, 1), v4(169, 254, 169, 254), v4(10, 0, 2, 2), .v6(0x2001_0DB8_0000_0000, 1),
            .v6(0xFEC0_0000_0000_0000, 2),
        ])
    func reachesHost(address: Address) {
        var filter = makeFilter(reachesHost: true)
        #expect(filter.judge(Frames.tcp(to: address, port: 22), now: 0) == .pass)
        #expect(filter.judge(Frames.udp(to: address, port: 5353), now: 0) == .pass)
    }

    @Test(
        "the gateway gives DHCP and echo, the name server names and echo, and no more",
        arguments: [
            (Frames.udp(to: VirtualNetwork.gateway4, port: 67), "pass"),
            (Frames.echo(to: VirtualNetwork.gateway4), "pass"), (Frames.echo(to: VirtualNetwork.gateway6), "pass"),
            (Frames.udp(to: VirtualNetwork.gateway4, port: 69), "refuse"),
            (Frames.udp(to: VirtualNetwork.gateway4, port: 53), "refuse"),
            (Frames.udp(to: VirtualNetwork.nameServer4, port: 53), "pass"),
            (Frames.tcp(to: VirtualNetwork.nameServer4, port: 53), "pass"),
            (Frames.udp(to: VirtualNetwork.nameServer6, port: 53), "pass"),
            (Frames.echo(to: VirtualNetwork.nameServer4), "pass"),
            (Frames.tcp(to: VirtualNetwork.nameServer4, port: 22), "refuse"),
            (Frames.udp(to: VirtualNetwork.nameServer6, port: 5353), "refuse"),
            (Frames.udp(to: v4(255, 255, 255, 255), port: 67), "pass"),
            (Frames.udp(to: .v6(0xFF02_0000_0000_0000, 0x0001_0002), port: 547), "pass"),
            (Frames.ipv6(58, to: .v6(0xFF02_0000_0000_0000, 2), [133, 0, 0, 0, 0, 0, 0, 0]), "pass"),
            (Frames.ipv6(58, to: .v6(0xFF02_0000_0000_0000, 0x1_FF00_0002), [135, 0, 0, 0] + zeroes(20)), "pass"),
            (Frames.ipv6(58, to: .v6(0xFF02_0000_0000_0000, 1), [134, 0, 0, 0]), "drop"),
            (Frames.arp(1, target: VirtualNetwork.gateway4), "pass"),
        ])
    func services(frame: [UInt8], verdict: String) {
        var filter = makeFilter()
        #expect(filter.judge(frame, now: 0).kind == verdict)
    }

    private static func zeroes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    static let host4 = v4(192, 0, 2, 1)
    static let world4 = v4(8, 8, 8, 8)

    @Test(
        "no disguise brings a frame to the host",
        arguments: [
            // Fragments, first and later.
            Frames.ipv4(6, to: host4, zeroes(24), fragment: 0x2000), Frames.ipv4(6, to: host4, zeroes(24), fragment: 3),
            // Options: none, a padding, a record route that is open, a source route by way of the world.
            Frames.ipv4(6, to: host4, zeroes(20), options: [1, 1, 1, 0]),
            Frames.ipv4(6, to: host4, zeroes(20), options: [7, 7, 4, 0, 0, 0, 0, 0]),
            Frames.ipv4(6, to: world4, zeroes(20), options: [131, 7, 4, 192, 0, 2, 1, 0]),
            Frames.ipv4(6, to: world4, zeroes(20), options: [1, 137, 7, 4, 192, 0, 2, 1]),
            // Options that end beyond the header, or have no length.
            Frames.ipv4(6, to: world4, zeroes(20), options: [7, 9, 4, 0]),
            Frames.ipv4(6, to: world4, zeroes(20), options: [7, 0, 0, 0]),
            Frames.ipv4(6, to: world4, zeroes(20), options: [1, 1, 1, 7]),
            // VLAN tags, one and two.
            Frames.ethernet(0x8100, [0, 1, 8, 0] + Frames.tcp(to: host4, port: 22).dropFirst(14)),
            Frames.ethernet(0x88A8, [0, 1, 0x81, 0, 0, 2, 8, 0] + Frames.tcp(to: host4, port: 22).dropFirst(14)),
            // IPv6 extension headers: hop-by-hop, routing, fragment, destination, none.
            Frames.ipv6(0, to: .v6(0x2001_0DB8_0000_0000, 9), [6, 0, 1, 4, 0, 0, 0, 0] + zeroes(20)),
            Frames.ipv6(43, to: .v6(0x2001_0DB8_0000_0000, 9), [6, 2, 0, 1, 0, 0, 0, 0] + zeroes(36)),
            Frames.ipv6(44, to: .v6(0x2001_0DB8_0000_0000, 9), [6, 0, 0, 1, 0, 0, 0, 1] + zeroes(20)),
            Frames.ipv6(60, to: .v6(0x2001_0DB8_0000_0000, 9), [6, 0, 1, 4, 0, 0, 0, 0] + zeroes(20)),
            Frames.ipv6(59, to: .v6(0x2001_0DB8_0000_0000, 9), []),
            // IPv6 in IPv4 and the other way round, and other protocols.
            Frames.ipv4(41, to: world4, zeroes(60)), Frames.ipv6(4, to: .v6(0x2001_0DB8_0000_0000, 9), zeroes(40)),
            Frames.ipv4(132, to: world4, zeroes(40)), Frames.ipv4(47, to: world4, zeroes(40)),
            // The wrong version for the type, and types that are none of ours.
            Frames.ethernet(0x86DD, Array(Frames.tcp(to: host4, port: 22).dropFirst(14)) + zeroes(20)),
            Frames.ethernet(0x0800, Array(Frames.tcp(to: .v6(0, 1), port: 22).dropFirst(14))),
            Frames.ethernet(0x88F8, zeroes(60)), Frames.ethernet(0x0805, zeroes(60)), Frames.ethernet(46, zeroes(60)),
        ])
    func disguises(frame: [UInt8]) {
        var filter = makeFilter()
        #expect(filter.judge(frame, now: 0).kind != "pass")
    }

    @Test(
        "a frame cut short anywhere does not pass",
        arguments: [
            Frames.tcp(to: world4, port: 80), Frames.udp(to: world4, port: 80), Frames.echo(to: world4),
            Frames.tcp(to: .v6(0x2001_0DB8_0000_0000, 9), port: 80),
            Frames.udp(to: .v6(0x2001_0DB8_0000_0000, 9), port: 80),
            Frames.arp(1, target: VirtualNetwork.gateway4),
        ])
    func truncated(frame: [UInt8]) {
        var filter = makeFilter()
        #expect(filter.judge(frame, now: 0) == .pass)
        let verdicts = (0..<frame.count).map { filter.judge(Array(frame[..<$0]), now: 0) }
        #expect(verdicts == Array(repeating: .drop, count: frame.count))
    }

    @Test("padding behind the packet does no harm")
    func padded() {
        var filter = makeFilter()
        let padding = [UInt8](repeating: 0xEE, count: 30)
        #expect(filter.judge(Frames.udp(to: Self.world4, port: 80) + padding, now: 0) == .pass)
        #expect(filter.judge(Frames.udp(to: Self.host4, port: 80) + padding, now: 0).kind == "refuse")
    }

    @Test(
        "lengths that contradict one another are dropped",
        arguments: [
            // Header length below 5 words and beyond the packet; total length below the header's and beyond the frame.
            (14, 0x44), (14, 0x4F), (17, 19), (16, 0xFF), (46, 0x40), (46, 0xF0),
        ] as [(Int, UInt8)])
    func contradictions(offset: Int, value: UInt8) {
        var filter = makeFilter()
        var frame = Frames.tcp(to: Self.world4, port: 80)
        frame[offset] = value
        #expect(filter.judge(frame, now: 0) == .drop)
    }

    @Test("ten thousand random mutations never crash, and none that names the host passes")
    func mutations() {
        var filter = makeFilter()
        var random = SystemRandomNumberGenerator()
        let seeds = [Frames.tcp(to: Self.host4, port: 22), Frames.udp(to: .v6(0x2001_0DB8_0000_0000, 1), port: 22)]
        let passed = (0..<10_000).filter { index in
            var frame = seeds[index % 2]
            // Not the type and the addresses.
            let kept = index % 2 == 0 ? [12, 13] + Array(26..<34) : [12, 13] + Array(22..<54)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let offset = Int.random(in: 0..<frame.count, using: &random)
                if !kept.contains(offset) { frame[offset] = UInt8.random(in: 0...255, using: &random) }
            }
            return filter.judge(frame, now: 0) == .pass
        }
        #expect(passed.isEmpty)
    }
}

@Suite struct FlowTests {
    private let peer = Address.v4(192, 0, 2, 1)

    /// A segment of a forwarded connection, as libslirp sends it to the guest.
    private func incoming(flags: UInt8 = 2) -> [UInt8] {
        Frames.tcp(to: Frames.guest4, port: 22, from: peer, sourcePort: 50_000, flags: flags)
    }

    @Test(
        "answers to a forwarded connection pass, an opening to the same port does not",
        arguments: [
            (0x12, "pass"), (0x10, "pass"), (0x18, "pass"), (0x11, "pass"), (0x04, "pass"), (0x14, "pass"),
            (0x02, "refuse"), (0x00, "refuse"), (0x08, "refuse"), (0x01, "refuse"), (0xC2, "refuse"), (0x29, "refuse"),
        ] as [(UInt8, String)])
    func tcp(flags: UInt8, verdict: String) {
        var filter = makeFilter()
        filter.note(toGuest: incoming(), now: 0)
        let answer = Frames.tcp(to: peer, port: 50_000, sourcePort: 22, flags: flags)
        #expect(filter.judge(answer, now: 1).kind == verdict)
    }

    @Test(
        "other ports, other guests' addresses and other peers are no answer",
        arguments: [
            Frames.tcp(to: .v4(192, 0, 2, 1), port: 50_001, sourcePort: 22, flags: 0x10),
            Frames.tcp(to: .v4(192, 0, 2, 1), port: 50_000, sourcePort: 23, flags: 0x10),
            Frames.tcp(to: .v4(192, 0, 2, 255), port: 50_000, sourcePort: 22, flags: 0x10),
            Frames.tcp(to: .v4(192, 0, 2, 1), port: 50_000, from: .v4(10, 0, 2, 16), sourcePort: 22, flags: 0x10),
            Frames.udp(to: .v4(192, 0, 2, 1), port: 50_000, sourcePort: 22),
        ])
    func others(frame: [UInt8]) {
        var filter = makeFilter()
        filter.note(toGuest: incoming(), now: 0)
        #expect(filter.judge(frame, now: 1).kind == "refuse")
    }

    @Test("a datagram may be answered for four minutes", arguments: [(0, "pass"), (239, "pass"), (240, "refuse")])
    func udp(seconds: UInt64, verdict: String) {
        var filter = makeFilter()
        filter.note(toGuest: Frames.udp(to: Frames.guest4, port: 53, from: peer, sourcePort: 50_000), now: 0)
        let answer = Frames.udp(to: peer, port: 50_000, sourcePort: 53)
        #expect(filter.judge(answer, now: seconds * 1_000_000_000).kind == verdict)
    }

    @Test("the table is bounded, and the flow that was silent longest goes first")
    func bounded() {
        var table = FlowTable()
        let packets = (0...FlowTable.capacity).map { index in
            Packet(v4: Frames.udp(to: Frames.guest4, port: 53, from: peer, sourcePort: UInt16(10_000 + index)))!
        }
        for (time, packet) in packets.enumerated() { table.note(packet, now: UInt64(time)) }
        #expect(table.count == FlowTable.capacity)
        let answers = [0, 1].map { Packet(v4: Frames.udp(to: peer, port: UInt16(10_000 + $0), sourcePort: 53))! }
        #expect(answers.map { table.isAnswer($0, now: 5000) } == [false, true])
    }
}

@Suite struct RefusalTests {
    private func answer(_ frame: [UInt8]) -> [UInt8]? {
        var filter = makeFilter()
        guard case .refuse(let answer) = filter.judge(frame, now: 0) else { return nil }
        return answer
    }

    @Test(
        "an opening is reset with its sequence number acknowledged",
        arguments: [
            Address.v4(192, 0, 2, 1), .v6(0x2001_0DB8_0000_0000, 1),
        ])
    func reset(address: Address) throws {
        let reset = try #require(answer(Frames.tcp(to: address, port: 22, sequence: 0xFFFF_FFFF)))
        guard case .packet(let packet) = Contents(reset), case .tcp(let header) = packet.transport else {
            Issue.record("the answer is no segment")
            return
        }
        #expect(packet.source == address)
        #expect(
            header == .init(source: 22, destination: 40_000, sequence: 0, acknowledgement: 0, flags: 0x14, payload: 0))
        #expect(Array(reset[0..<6]) == Frames.guestMAC)
        // The right checksum makes the whole sum zero (RFC 1071).
        let start = reset.count - 20
        let pseudo = packet.source.bytes + packet.destination.bytes + Frames.number32(20) + [0, 0, 0, 6]
        #expect(Refusal.checksum(pseudo + reset[start...]) == 0)
    }

    @Test("a stray segment is reset with what it acknowledges, a reset is not answered")
    func stray() throws {
        let frame = Frames.tcp(to: .v4(192, 0, 2, 1), port: 22, flags: 0x10, acknowledgement: 777, [1, 2])
        let reset = try #require(answer(frame))
        guard case .packet(let packet) = Contents(reset), case .tcp(let header) = packet.transport else {
            Issue.record("the answer is no segment")
            return
        }
        #expect(header.sequence == 777 && header.flags == 4)
        #expect(answer(Frames.tcp(to: .v4(192, 0, 2, 1), port: 22, flags: 4)) == nil)
    }

    @Test(
        "a datagram gets the ICMP error of its version, with the beginning of what was refused",
        arguments: [
            (Address.v4(192, 0, 2, 1), [3, 13] as [UInt8], 34, 28), (.v6(0x2001_0DB8_0000_0000, 1), [1, 1], 54, 51),
        ])
    func unreachable(address: Address, type: [UInt8], start: Int, quoted: Int) throws {
        let frame = Frames.udp(to: address, port: 53)
        let error = try #require(answer(frame))
        #expect(Array(error[start..<start + 2]) == type)
        #expect(Array(error[(start + 8)...]) == Array(frame[14..<14 + quoted]))
    }
}
