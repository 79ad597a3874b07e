// SPDX-License-Identifier: Apache-2.0

/// The outermost layer of GDB's remote serial protocol: packets, acknowledgements and the interrupt byte
/// (GDB manual, appendix E.1 "Overview").
package struct GDBFramer: Sendable {
    /// The most bytes of a packet's content, either way; announced as `PacketSize`.
    package static let packetSize = 16384

    /// What came from the debugger.
    package enum Frame: Equatable, Sendable {
        /// A packet's content, its escapes undone.
        case packet([UInt8])
        /// `+`: the last packet arrived.
        case acknowledge
        /// `-`: send the last packet again.
        case resend
        /// The byte 0x03 outside of a packet: stop the target.
        case interrupt
        /// A packet whose checksum is wrong.
        case damaged
        /// A packet with more content than `packetSize`.
        case tooLong
    }

    private enum State: Sendable {
        case between
        case content
        case escaped
        case skipping
        case checksumHigh
        case checksumLow(UInt8)
    }

    private var state = State.between
    private var content: [UInt8] = []
    private var sum: UInt8 = 0
    private var overflowed = false
    private var checksumIsText = true
    /// Checksums are not looked at in no-acknowledgement mode.
    package var checksChecksum = true

    package init() {}

    /// Takes the next byte; a frame if it completed one.
    package mutating func take(_ byte: UInt8) -> Frame? {
        switch state {
        case .between: return takeBetween(byte)
        case .content, .escaped, .skipping: takeContent(byte)
        case .checksumHigh:
            checksumIsText = byte.hexDigitValue != nil
            state = .checksumLow(byte.hexDigitValue ?? 0)
        case .checksumLow(let high):
            state = .between
            return finish(low: byte.hexDigitValue, high: high)
        }
        return nil
    }

    private mutating func takeBetween(_ byte: UInt8) -> Frame? {
        switch byte {
        case UInt8(ascii: "+"): return .acknowledge
        case UInt8(ascii: "-"): return .resend
        case 0x03: return .interrupt
        case UInt8(ascii: "$"):
            content.removeAll(keepingCapacity: true)
            sum = 0
            overflowed = false
            state = .content
            return nil
        default: return nil  // noise between packets
        }
    }

    private mutating func takeContent(_ byte: UInt8) {
        if byte == UInt8(ascii: "#") {
            state = .checksumHigh
            return
        }
        if byte == UInt8(ascii: "$") {
            // A `$` is always escaped within a packet: the one before was cut off.
            content.removeAll(keepingCapacity: true)
            sum = 0
            overflowed = false
            state = .content
            return
        }
        sum &+= byte
        if case .skipping = state { return }
        if case .escaped = state {
            state = .content
            append(byte ^ 0x20)
        } else if byte == UInt8(ascii: "}") {
            state = .escaped
        } else {
            append(byte)
        }
    }

    private mutating func append(_ byte: UInt8) {
        guard content.count < GDBFramer.packetSize else {
            overflowed = true
            state = .skipping
            return
        }
        content.append(byte)
    }

    private mutating func finish(low: UInt8?, high: UInt8) -> Frame {
        if checksChecksum {
            guard checksumIsText, let low, high << 4 | low == sum else { return .damaged }
        }
        return overflowed ? .tooLong : .packet(content)
    }

    /// `content` as a packet: escaped, framed, with its checksum.
    package static func encode(_ content: [UInt8]) -> [UInt8] {
        var packet: [UInt8] = [UInt8(ascii: "$")]
        packet.reserveCapacity(content.count + 4)
        var sum: UInt8 = 0
        for byte in content {
            switch byte {
            case UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "}"), UInt8(ascii: "*"):
                packet += [UInt8(ascii: "}"), byte ^ 0x20]
                sum = sum &+ UInt8(ascii: "}") &+ (byte ^ 0x20)
            default:
                packet.append(byte)
                sum &+= byte
            }
        }
        return packet + [UInt8(ascii: "#"), .hexDigit(sum >> 4), .hexDigit(sum & 15)]
    }
}
