// SPDX-License-Identifier: Apache-2.0

/// What an Ethernet frame carries, as far as the filter must know: read once, every length checked.
enum Contents {
    /// An address resolution packet of full length (RFC 826).
    case arp
    case packet(Packet)
    /// Cut short, contradictory, or of a kind that libslirp has no use for: VLAN tags, other protocols, IPv6 extension
    /// headers, source routes.
    case nonsense

    static let ethernetHeader = 14

    init(_ frame: [UInt8]) {
        self = .nonsense
        guard frame.count >= Self.ethernetHeader else { return }
        switch frame.number16(at: 12) {
        case 0x0806: if frame.count >= Self.ethernetHeader + 28 { self = .arp }
        case 0x0800: if let packet = Packet(v4: frame) { self = .packet(packet) }
        case 0x86DD: if let packet = Packet(v6: frame) { self = .packet(packet) }
        default: break
        }
    }
}

/// An internet packet in an Ethernet frame.
struct Packet: Equatable {
    enum Transport: Equatable {
        /// RFC 9293 §3.1. `payload` is the count of bytes behind the header.
        case tcp(TCPHeader)
        case udp(source: UInt16, destination: UInt16)
        /// ICMP or ICMPv6, by its type.
        case icmp(UInt8)
        /// A fragment: where it is the first, its ports may lie in the next.
        case fragment
    }

    struct TCPHeader: Equatable {
        var source: UInt16
        var destination: UInt16
        var sequence: UInt32
        var acknowledgement: UInt32
        var flags: UInt8
        var payload: Int

        static let fin: UInt8 = 1
        static let syn: UInt8 = 2
        static let reset: UInt8 = 4
        static let acknowledges: UInt8 = 16

        /// Whether it can belong to a connection that exists: no stack opens one by such a segment (RFC 9293 §3.10.7.2).
        var isLaterSegment: Bool { flags & (Self.acknowledges | Self.reset) != 0 }
    }

    let source: Address
    let destination: Address
    let transport: Transport
    /// Where in the frame the packet ends; what follows is padding.
    let end: Int

    private static let icmp = 1, tcp = 6, udp = 17, icmp6 = 58

    /// RFC 791 §3.1.
    init?(v4 frame: [UInt8]) {
        let start = Contents.ethernetHeader
        guard frame.count >= start + 20, frame[start] >> 4 == 4 else { return nil }
        let header = Int(frame[start] & 15) * 4
        let total = Int(frame.number16(at: start + 2))
        guard header >= 20, total >= header, frame.count >= start + total,
            Self.hasHarmlessOptions(frame[(start + 20)..<(start + header)]),
            let source = Address(frame[(start + 12)..<(start + 16)]),
            let destination = Address(frame[(start + 16)..<(start + 20)])
        else { return nil }
        (self.source, self.destination, end) = (source, destination, start + total)
        // The more-fragments bit and the offset.
        if frame.number16(at: start + 6) & 0x3FFF != 0 {
            transport = .fragment
            return
        }
        guard
            let transport = Self.transport(Int(frame[start + 9]), frame[(start + header)..<(start + total)], v6: false)
        else { return nil }
        self.transport = transport
    }

    /// RFC 8200 §3. Extension headers are refused: libslirp knows none.
    init?(v6 frame: [UInt8]) {
        let start = Contents.ethernetHeader
        guard frame.count >= start + 40, frame[start] >> 4 == 6 else { return nil }
        let total = 40 + Int(frame.number16(at: start + 4))
        guard frame.count >= start + total, let source = Address(frame[(start + 8)..<(start + 24)]),
            let destination = Address(frame[(start + 24)..<(start + 40)]),
            let transport = Self.transport(Int(frame[start + 6]), frame[(start + 40)..<(start + total)], v6: true)
        else { return nil }
        (self.source, self.destination, self.transport, end) = (source, destination, transport, start + total)
    }

    private static func transport(_ number: Int, _ bytes: ArraySlice<UInt8>, v6: Bool) -> Transport? {
        let start = bytes.startIndex
        switch number {
        case tcp:
            guard bytes.count >= 20 else { return nil }
            let header = Int(bytes[start + 12] >> 4) * 4
            guard header >= 20, header <= bytes.count else { return nil }
            return .tcp(
                TCPHeader(
                    source: bytes.number16(at: start), destination: bytes.number16(at: start + 2),
                    sequence: bytes.number32(at: start + 4), acknowledgement: bytes.number32(at: start + 8),
                    flags: bytes[start + 13], payload: bytes.count - header))
        case udp:
            guard bytes.count >= 8 else { return nil }
            return .udp(source: bytes.number16(at: start), destination: bytes.number16(at: start + 2))
        case icmp where !v6, icmp6 where v6:
            // An ICMP header has at least 4 bytes.
            return bytes.count >= 4 ? .icmp(bytes[start]) : nil
        default: return nil
        }
    }

    /// Walks the options (RFC 791 §3.1): false where they are malformed or steer the packet's way (source routes).
    private static func hasHarmlessOptions(_ options: ArraySlice<UInt8>) -> Bool {
        var index = options.startIndex
        while index < options.endIndex {
            switch options[index] {
            case 0: return true
            case 1: index += 1
            case 131, 137: return false
            default:
                guard index + 1 < options.endIndex, options[index + 1] >= 2 else { return false }
                index += Int(options[index + 1])
            }
        }
        return index == options.endIndex
    }
}

extension Collection<UInt8> where Index == Int {
    /// The big-endian number at `index`, which has two bytes.
    func number16(at index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }

    /// The big-endian number at `index`, which has four bytes.
    func number32(at index: Int) -> UInt32 { UInt32(number16(at: index)) << 16 | UInt32(number16(at: index + 2)) }
}
