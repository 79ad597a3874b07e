// SPDX-License-Identifier: Apache-2.0

/// The answer to a packet that is not let through, so that a guest's program fails at once and does not wait.
enum Refusal {
    /// A reset for TCP, "administratively prohibited" for UDP and echo requests; nil for what has no answer.
    static func answer(to packet: Packet, in frame: [UInt8]) -> [UInt8]? {
        switch packet.transport {
        case .tcp(let header):
            guard header.flags & Packet.TCPHeader.reset == 0 else { return nil }
            return wrap(6, reset(for: header), from: packet, frame, checksumAt: 16)
        case .udp: return unreachable(packet, frame)
        // Echo requests of either version; an error never answers an error (RFC 1122 §3.2.2).
        case .icmp(8), .icmp(128): return unreachable(packet, frame)
        case .icmp, .fragment: return nil
        }
    }

    /// RFC 9293 §3.10.7.1: what a closed port answers.
    private static func reset(for header: Packet.TCPHeader) -> [UInt8] {
        let hasAcknowledgement = header.flags & Packet.TCPHeader.acknowledges != 0
        var length = UInt32(truncatingIfNeeded: header.payload)
        if header.flags & Packet.TCPHeader.syn != 0 { length &+= 1 }
        if header.flags & Packet.TCPHeader.fin != 0 { length &+= 1 }
        var segment = number16(header.destination) + number16(header.source)
        segment += number32(hasAcknowledgement ? header.acknowledgement : 0)
        segment += number32(hasAcknowledgement ? 0 : header.sequence &+ length)
        let flags = Packet.TCPHeader.reset | (hasAcknowledgement ? 0 : Packet.TCPHeader.acknowledges)
        // A header of five words, no window, checksum and urgent pointer.
        return segment + [5 << 4, flags, 0, 0, 0, 0, 0, 0]
    }

    /// RFC 792 (type 3, code 13 of RFC 1812 §5.2.7.1) and RFC 4443 §3.1 (type 1, code 1).
    private static func unreachable(_ packet: Packet, _ frame: [UInt8]) -> [UInt8]? {
        let original = frame[Contents.ethernetHeader..<packet.end]
        switch packet.destination {
        // The header, with options, and the first 8 bytes behind it.
        case .v4:
            let quoted = original.prefix(Int(original[original.startIndex] & 15) * 4 + 8)
            return wrap(1, [3, 13, 0, 0, 0, 0, 0, 0] + quoted, from: packet, frame, checksumAt: 2)
        // As much as fits into the smallest MTU, 1280.
        case .v6:
            return wrap(58, [1, 1, 0, 0, 0, 0, 0, 0] + original.prefix(1232), from: packet, frame, checksumAt: 2)
        }
    }

    /// `payload` in a frame from where `packet` went to where it came from, with its checksum put in.
    private static func wrap(
        _ transport: UInt8, _ payload: [UInt8], from packet: Packet, _ frame: [UInt8], checksumAt offset: Int
    ) -> [UInt8] {
        let (from, to) = (packet.destination.bytes, packet.source.bytes)
        var payload = payload
        // RFC 9293 §3.1 and RFC 8200 §8.1: the pseudo-header; ICMP of IPv4 has none.
        let length = number32(UInt32(payload.count))
        let pseudo = transport == 1 ? [] : from + to + length + [0, 0, 0, transport]
        payload.replaceSubrange(offset..<offset + 2, with: number16(checksum(pseudo + payload)))

        let ethernet = frame[6..<12] + frame[0..<6] + frame[12..<14]
        if case .v4 = packet.destination {
            var header: [UInt8] = [0x45, 0] + number16(UInt16(20 + payload.count))
            // No identification, "don't fragment", 64 hops, then the checksum.
            header += [0, 0, 0x40, 0, 64, transport, 0, 0] + from + to
            header.replaceSubrange(10..<12, with: number16(checksum(header)))
            return ethernet + header + payload
        }
        let header: [UInt8] = [0x60, 0, 0, 0] + number16(UInt16(payload.count)) + [transport, 64] + from + to
        return ethernet + header + payload
    }

    /// RFC 1071.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for (index, byte) in bytes.enumerated() { sum += UInt32(byte) << (index % 2 == 0 ? 8 : 0) }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(sum)
    }

    private static func number16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

    private static func number32(_ value: UInt32) -> [UInt8] {
        number16(UInt16(value >> 16)) + number16(UInt16(value & 0xFFFF))
    }
}
