// SPDX-License-Identifier: Apache-2.0

@testable import apus_net

/// Frames made by hand.
enum Frames {
    static let guestMAC: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
    /// libslirp's router: 52:55 and its address.
    static let routerMAC: [UInt8] = [0x52, 0x55, 10, 0, 2, 2]
    static let guest4 = VirtualNetwork.guest4
    static let guest6 = Address.v6(0xFEC0_0000_0000_0000, 0x5054_00FF_FE12_3456)

    static func number16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    static func number32(_ value: UInt32) -> [UInt8] { number16(Int(value >> 16)) + number16(Int(value & 0xFFFF)) }

    static func ethernet(_ type: Int, _ payload: [UInt8], to: [UInt8] = routerMAC) -> [UInt8] {
        to + guestMAC + number16(type) + payload
    }

    /// An IPv4 packet in a frame; `fragment` is the field of flags and offset, `options` a multiple of four bytes.
    static func ipv4(
        _ transport: UInt8, to: Address, _ payload: [UInt8], from: Address = guest4, fragment: Int = 0,
        options: [UInt8] = [], mac: [UInt8] = routerMAC
    ) -> [UInt8] {
        let words = 5 + options.count / 4
        var header: [UInt8] = [0x40 | UInt8(words), 0] + number16(words * 4 + payload.count)
        header += [0, 1] + number16(fragment) + [64, transport, 0, 0] + from.bytes + to.bytes + options
        header.replaceSubrange(10..<12, with: number16(Int(Refusal.checksum(header))))
        return ethernet(0x0800, header + payload, to: mac)
    }

    static func ipv6(_ next: UInt8, to: Address, _ payload: [UInt8], from: Address = guest6) -> [UInt8] {
        let header: [UInt8] = [0x60, 0, 0, 0] + number16(payload.count) + [next, 64] + from.bytes + to.bytes
        return ethernet(0x86DD, header + payload)
    }

    /// `payload` for `transport` between two addresses, in a packet of their version, with the right checksum.
    static func packet(
        _ transport: UInt8, from: Address, to: Address, _ payload: [UInt8], checksumAt offset: Int
    ) -> [UInt8] {
        var payload = payload
        let pseudo = from.bytes + to.bytes + number32(UInt32(payload.count)) + [0, 0, 0, transport]
        payload.replaceSubrange(offset..<offset + 2, with: number16(Int(Refusal.checksum(pseudo + payload))))
        if case .v4 = to { return ipv4(transport, to: to, payload, from: from) }
        return ipv6(transport, to: to, payload, from: from)
    }

    static func tcp(
        to: Address, port: UInt16, from: Address? = nil, sourcePort: UInt16 = 40_000, flags: UInt8 = 2,
        sequence: UInt32 = 1000, acknowledgement: UInt32 = 0, _ data: [UInt8] = []
    ) -> [UInt8] {
        let segment =
            number16(Int(sourcePort)) + number16(Int(port)) + number32(sequence) + number32(acknowledgement)
            + [5 << 4, flags, 0xFF, 0xFF, 0, 0, 0, 0] + data
        return packet(6, from: from ?? guest(like: to), to: to, segment, checksumAt: 16)
    }

    static func udp(
        to: Address, port: UInt16, from: Address? = nil, sourcePort: UInt16 = 40_000, _ data: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        let datagram = number16(Int(sourcePort)) + number16(Int(port)) + number16(8 + data.count) + [0, 0] + data
        return packet(17, from: from ?? guest(like: to), to: to, datagram, checksumAt: 6)
    }

    static func echo(to: Address) -> [UInt8] {
        switch to {
        case .v4:
            var message: [UInt8] = [8, 0, 0, 0, 0, 7, 0, 1]
            message.replaceSubrange(2..<4, with: number16(Int(Refusal.checksum(message))))
            return ipv4(1, to: to, message)
        case .v6: return packet(58, from: guest6, to: to, [128, 0, 0, 0, 0, 7, 0, 1], checksumAt: 2)
        }
    }

    /// RFC 826: a request (1) for, or reply (2) to, `target`.
    static func arp(_ operation: Int, target: Address, targetMAC: [UInt8] = [0, 0, 0, 0, 0, 0]) -> [UInt8] {
        let head = number16(1) + number16(0x0800) + [6, 4] + number16(operation)
        let body = guestMAC + guest4.bytes + targetMAC + target.bytes
        return ethernet(0x0806, head + body, to: operation == 1 ? [UInt8](repeating: 255, count: 6) : targetMAC)
    }

    private static func guest(like other: Address) -> Address {
        if case .v4 = other { return guest4 }
        return guest6
    }
}
