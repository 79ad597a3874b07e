// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import SystemPackage
import Testing

@testable import apus_net

/// What a guest reaches of its host, in a network namespace made for the test.
@Suite(
    .timeLimit(.minutes(10)), .serialized,
    .enabled(if: canMakeNamespaces, "a network namespace of its own takes root and iproute2"))
struct IsolationTests {
    /// What the host has, besides the loopback.
    static let assigned = ["192.0.2.1/24", "198.51.100.7/32", "169.254.169.254/32", "2001:db8::1/64", "fd00::5/128"]

    /// Each by which the host could be reached.
    static let addresses: [Address] = [
        .v4(127, 0, 0, 1), .v4(127, 1, 2, 3), .v4(0, 0, 0, 0), .v4(192, 0, 2, 1), .v4(192, 0, 2, 255),
        .v4(198, 51, 100, 7), .v4(169, 254, 169, 254), .v4(10, 0, 2, 2), .v4(255, 255, 255, 255), .v4(224, 0, 0, 1),
        .v6(0, 0), .v6(0, 1), .v6(0, 0x7F00_0001), .v6(0, 0xFFFF_7F00_0001), .v6(0, 0xFFFF_C000_0201),
        .v6(0x2001_0DB8_0000_0000, 1), .v6(0xFD00_0000_0000_0000, 5), .v6(0xFEC0_0000_0000_0000, 2),
        .v6(0xFE80_0000_0000_0000, 2), .v6(0xFF02_0000_0000_0000, 1),
    ]

    @Test("hand-made frames to the loopback and each address of the host reach no listener")
    func reachesNothing() throws {
        let (reached, openings) = try inNamespace(Self.assigned) {
            let (stream, datagram) = (Listener(stream: true), Listener(stream: false))
            let guest = try GuestClient()
            var openings: [GuestClient.Opening] = []
            for (index, address) in Self.addresses.enumerated() {
                let source = UInt16(41_000 + index)
                // Only the gateway answers at all; for its answer there is time.
                let patience: UInt64 = address == .v4(10, 0, 2, 2) ? 20_000 : 200
                openings.append(guest.open(address, stream.port, sourcePort: source, milliseconds: patience))
                guest.send(Frames.udp(to: address, port: datagram.port, sourcePort: source))
            }
            // What is behind all that in the socket has been through the filter when this is answered.
            let isAlive = guest.resolve(VirtualNetwork.gateway4) != nil
            usleep(100_000)
            let reached = [stream.wasReached, datagram.wasReached, !isAlive]
            guest.close()
            return (reached, openings)
        }
        #expect(reached == [false, false, false])
        #expect(!openings.contains(.accepted))
        // The gateway's address refuses.
        #expect(openings[7] == .reset)
    }

    @Test(
        "with host=on the gateway leads to the loopback and the host's addresses to the host",
        arguments: [
            Address.v4(10, 0, 2, 2), .v4(192, 0, 2, 1), .v4(198, 51, 100, 7),
        ])
    func reachesHost(address: Address) throws {
        let (opening, reached) = try inNamespace(Self.assigned) {
            let (stream, datagram) = (Listener(stream: true), Listener(stream: false))
            var options = UserNetworkOptions()
            options.reachesHost = true
            let guest = try GuestClient(options)
            let opening = guest.open(address, stream.port)
            guest.send(Frames.udp(to: address, port: datagram.port))
            let reached = [stream.isReachedSoon, datagram.isReachedSoon]
            guest.close()
            return (opening, reached)
        }
        #expect(opening == .accepted)
        #expect(reached == [true, true])
    }

    @Test("an address that the host gets later is closed too, within two seconds")
    func laterAddress() throws {
        let (reached, opening) = try inNamespace(Self.assigned) {
            let stream = Listener(stream: true)
            let guest = try GuestClient()
            try addAddress("203.0.113.9/32")
            usleep(2_000_000)
            let opening = guest.open(.v4(203, 0, 113, 9), stream.port)
            usleep(50_000)
            let reached = stream.wasReached
            guest.close()
            return (reached, opening)
        }
        #expect(!reached)
        #expect(opening == .reset)
    }

    @Test(
        "a forwarded TCP port carries bytes both ways, from the loopback and from the host's own address",
        arguments: [
            (IPv4Address(127, 0, 0, 1), IPv4Address(127, 0, 0, 1)),
            (IPv4Address(0, 0, 0, 0), IPv4Address(192, 0, 2, 1)),
        ])
    func forwardTCP(bound: IPv4Address, called: IPv4Address) throws {
        let (request, reply) = try inNamespace(Self.assigned) {
            var options = UserNetworkOptions()
            options.forwards = [PortForward(.tcp, hostPort: 8022, guestPort: 22, address: bound)]
            let guest = try GuestClient(options)
            let client = connectedSocket(stream: true, to: called, port: 8022)
            send(client, "hello", 5, CInt(MSG_NOSIGNAL))
            let exchange = guest.serveOnce(port: 22, reply: Array("goodbye".utf8))
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = recv(client, &buffer, 64, 0)
            close(client)
            guest.close()
            return (exchange, String(decoding: buffer[..<max(0, count)], as: UTF8.self))
        }
        #expect(request == "hello")
        #expect(reply == "goodbye")
    }

    @Test(
        "a forwarded UDP port carries datagrams both ways, from the loopback and from the host's own address",
        arguments: [
            (IPv4Address(127, 0, 0, 1), IPv4Address(127, 0, 0, 1)),
            (IPv4Address(0, 0, 0, 0), IPv4Address(192, 0, 2, 1)),
        ])
    func forwardUDP(bound: IPv4Address, called: IPv4Address) throws {
        let (request, reply) = try inNamespace(Self.assigned) {
            var options = UserNetworkOptions()
            options.forwards = [PortForward(.udp, hostPort: 8053, guestPort: 53, address: bound)]
            let guest = try GuestClient(options)
            let client = connectedSocket(stream: false, to: called, port: 8053)
            send(client, "name?", 5, 0)
            var request = ""
            if let frame = guest.receive({ packet, _ in
                if case .udp(_, destination: 53) = packet.transport { true } else { false }
            }), case .packet(let packet) = Contents(frame), case .udp(let source, _) = packet.transport {
                request = String(decoding: frame[42..<packet.end], as: UTF8.self)
                guest.send(Frames.udp(to: packet.source, port: source, sourcePort: 53, Array("answer".utf8)))
            }
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = recv(client, &buffer, 64, 0)
            close(client)
            guest.close()
            return (request, String(decoding: buffer[..<max(0, count)], as: UTF8.self))
        }
        #expect(request == "name?")
        #expect(reply == "answer")
    }

    @Test("a port bound to the loopback does not answer at other addresses of the host")
    func boundToLoopback() throws {
        let client = try inNamespace(Self.assigned) {
            var options = UserNetworkOptions()
            options.forwards = [PortForward(.tcp, hostPort: 8022, guestPort: 22)]
            let guest = try GuestClient(options)
            let client = connectedSocket(stream: true, to: IPv4Address(192, 0, 2, 1), port: 8022)
            guest.close()
            return client
        }
        #expect(client == -1)
    }
}

extension GuestClient {
    /// Accepts one connection to `port`, answers its first bytes with `reply`, and returns them.
    fileprivate func serveOnce(port: UInt16, reply: [UInt8]) -> String {
        guard let opening = segment(to: port, { $0.flags & 2 != 0 }) else { return "no opening" }
        let (peer, syn, _) = opening
        let ours: UInt32 = 5000
        let answer = { (flags: UInt8, sequence: UInt32, acknowledgement: UInt32, data: [UInt8]) in
            self.send(
                Frames.tcp(
                    to: peer, port: syn.source, sourcePort: port, flags: flags, sequence: sequence,
                    acknowledgement: acknowledgement, data))
        }
        answer(0x12, ours, syn.sequence &+ 1, [])
        guard let (_, data, bytes) = segment(to: port, { $0.payload > 0 }) else { return "no data" }
        answer(0x18, ours &+ 1, data.sequence &+ UInt32(data.payload), reply)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func segment(
        to port: UInt16, _ matches: (Packet.TCPHeader) -> Bool
    ) -> (Address, Packet.TCPHeader, [UInt8])? {
        let frame = receive { packet, _ in
            if case .tcp(let header) = packet.transport, header.destination == port { matches(header) } else { false }
        }
        guard let frame, case .packet(let packet) = Contents(frame), case .tcp(let header) = packet.transport else {
            return nil
        }
        return (packet.source, header, Array(frame[(packet.end - header.payload)..<packet.end]))
    }
}
