// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import SystemPackage

@testable import apus_net

/// A guest made by hand on a network child of its own: it answers ARP and neighbour solicitations, and keeps the rest.
final class GuestClient: Sendable {
    let network: UserNetwork
    let loop: EventLoop
    let failures = Notes<String>()
    private let frames = Notes<[UInt8]>()

    init(_ options: UserNetworkOptions = UserNetworkOptions()) throws {
        // A call that the child's list lacks shall end it, not be answered with an error that nobody sees.
        var options = options
        if options.sandbox == .on { options.sandbox = .strict }
        let loop = try EventLoop()
        try loop.start()
        self.loop = loop
        do {
            network = try UserNetwork(options, loop: loop) { [failures] in failures.add($0) }
            try network.connect { [frames] frame in
                frames.add(frame)
                return true
            }
        } catch {
            loop.stop()
            throw error
        }
    }

    func close() {
        network.close()
        loop.stop()
    }

    func send(_ frame: [UInt8]) { network.send(frame) }

    /// The first frame that `matches`, answering address questions meanwhile; nil after `milliseconds`.
    func receive(within milliseconds: UInt64 = 30_000, _ matches: (Packet, [UInt8]) -> Bool) -> [UInt8]? {
        let deadline = MonotonicTime.after(milliseconds: milliseconds)
        while let frame = frames.take(until: deadline, { isQuestion($0) || isPacket($0, matches) }) {
            if !isQuestion(frame) { return frame }
            answer(frame)
        }
        return nil
    }

    private func isPacket(_ frame: [UInt8], _ matches: (Packet, [UInt8]) -> Bool) -> Bool {
        if case .packet(let packet) = Contents(frame) { return matches(packet, frame) }
        return false
    }

    /// An ARP request for the guest's address.
    private func isQuestion(_ frame: [UInt8]) -> Bool {
        frame.count >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1
            && Array(frame[38..<42]) == Frames.guest4.bytes
    }

    private func answer(_ frame: [UInt8]) {
        guard let asking = Address(frame[28..<32]) else { return }
        send(Frames.arp(2, target: asking, targetMAC: Array(frame[22..<28])))
    }

    /// The answer to an ARP request for `target`: its MAC address.
    func resolve(_ target: Address) -> [UInt8]? {
        send(Frames.arp(1, target: target))
        let deadline = MonotonicTime.after(milliseconds: 30_000)
        let reply = frames.take(until: deadline) { $0.count >= 42 && $0[13] == 6 && $0[21] == 2 }
        return reply.map { Array($0[22..<28]) }
    }

    // MARK: DHCP (RFC 2131)

    struct Lease: Equatable, Sendable {
        var type: UInt8
        var address: Address
        var options: [UInt8: [UInt8]]
    }

    /// Sends a DHCP message of `type` (1 discover, 3 request); what is offered or acknowledged.
    func dhcp(_ type: UInt8) -> Lease? {
        var message: [UInt8] = [1, 1, 6, 0, 0xAB, 0xCD, 0xEF, 1] + [UInt8](repeating: 0, count: 20)
        message += Frames.guestMAC + [UInt8](repeating: 0, count: 10 + 64 + 128)
        // The magic cookie, then the message's type, the address asked for and the end.
        message += [99, 130, 83, 99, 53, 1, type, 50, 4] + Frames.guest4.bytes + [255]
        send(
            Frames.udp(
                to: .v4(255, 255, 255, 255), port: 67, from: .v4(0, 0, 0, 0), sourcePort: 68, message))
        let reply = receive { packet, _ in packet.transport == .udp(source: 67, destination: 68) }
        guard let reply, reply.count > 42 + 240, let address = Address(reply[58..<62]) else { return nil }
        let body = Array(reply[42...])
        var options: [UInt8: [UInt8]] = [:]
        var index = 240
        while index + 1 < body.count, body[index] != 255 {
            if body[index] == 0 {
                index += 1
                continue
            }
            let count = Int(body[index + 1])
            options[body[index]] = Array(body[(index + 2)..<min(index + 2 + count, body.count)])
            index += 2 + count
        }
        return Lease(type: options[53]?.first ?? 0, address: address, options: options)
    }

    // MARK: TCP

    enum Opening: String, Sendable { case accepted, reset, unreachable, silence }

    /// What comes of opening a TCP connection to `port` at `address`.
    func open(_ address: Address, _ port: UInt16, sourcePort: UInt16 = 40_000, milliseconds: UInt64 = 30_000) -> Opening
    {
        send(Frames.tcp(to: address, port: port, sourcePort: sourcePort))
        var result = Opening.silence
        _ = receive(within: milliseconds) { packet, _ in
            switch packet.transport {
            case .tcp(let header) where packet.source == address && header.destination == sourcePort:
                result = header.flags & 4 != 0 ? .reset : header.flags & 0x12 == 0x12 ? .accepted : .silence
                return result != .silence
            case .icmp(3) where packet.source == address, .icmp(1) where packet.source == address:
                result = .unreachable
                return true
            default: return false
            }
        }
        return result
    }
}
