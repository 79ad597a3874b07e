// SPDX-License-Identifier: Apache-2.0

/// The port address space of a PC: 65,536 ports of a byte, and the chips that answer them.
///
/// A chip may answer several ranges, all by offsets from one port of its own. An access that is wider than the chip
/// takes, or reaches past its range, is made in halves, lower port first, as the ISA bus does; a byte that nobody
/// answers reads as all ones.
public final class PortSpace: Sendable {
    /// One range and what answers there.
    public struct Attachment: Sendable {
        /// The first port.
        public let first: UInt16
        /// How many ports, not zero.
        public let count: UInt32
        /// The port from which the target counts its offsets.
        public let origin: UInt16
        /// The widest access that the target gets.
        public let widest: AccessWidth
        /// A name for statistics and errors.
        public let name: String
        /// What answers.
        public let target: any BusTarget

        /// `count` ports from `first` that `target` answers, by their distance from `origin` (`first` unless said).
        public init(
            first: UInt16, count: UInt32, origin: UInt16? = nil, widest: AccessWidth = .byte, name: String,
            target: any BusTarget
        ) {
            precondition(count > 0 && UInt32(first) + count <= 0x1_0000, "a range of ports lies in the port space")
            precondition(origin ?? first <= first, "a chip's first port is not above its range")
            self.first = first
            self.count = count
            self.origin = origin ?? first
            self.widest = widest
            self.name = name
            self.target = target
        }
    }

    /// The ranges by rising port.
    public let attachments: [Attachment]
    /// Each port's attachment, by its index plus one; 0: nobody's.
    private let owners: [UInt8]

    /// A space of these ranges, in any order; they must not overlap.
    public init(_ attachments: [Attachment]) {
        precondition(attachments.count < 256, "a port space has at most 255 ranges")
        self.attachments = attachments.sorted { $0.first < $1.first }
        var owners = [UInt8](repeating: 0, count: 0x1_0000)
        for (index, attachment) in self.attachments.enumerated() {
            for port in Int(attachment.first)..<Int(attachment.first) + Int(attachment.count) {
                precondition(owners[port] == 0, "ranges of ports do not overlap")
                owners[port] = UInt8(index + 1)
            }
        }
        self.owners = owners
    }

    /// Reads `port`. An access past the last port wraps to the first.
    public func read(at port: UInt16, width: AccessWidth) -> UInt64 {
        if let attachment = attachment(at: port, width: width) {
            return attachment.target.busRead(at: UInt64(port - attachment.origin), width: width) & width.mask
        }
        guard let half = width.half else { return width.mask }
        let low = read(at: port, width: half)
        return low | read(at: port &+ UInt16(half.rawValue), width: half) << (half.bytes * 8)
    }

    /// Writes `port`.
    public func write(_ value: UInt64, at port: UInt16, width: AccessWidth) {
        if let attachment = attachment(at: port, width: width) {
            attachment.target.busWrite(value & width.mask, at: UInt64(port - attachment.origin), width: width)
        } else if let half = width.half {
            write(value & half.mask, at: port, width: half)
            write(value >> (half.bytes * 8) & half.mask, at: port &+ UInt16(half.rawValue), width: half)
        }
    }

    /// Who takes all of an access at once.
    private func attachment(at port: UInt16, width: AccessWidth) -> Attachment? {
        let owner = owners[Int(port)]
        guard owner != 0 else { return nil }
        let attachment = attachments[Int(owner) - 1]
        let end = UInt64(port - attachment.first) + width.bytes
        return width.bytes <= attachment.widest.bytes && end <= UInt64(attachment.count) ? attachment : nil
    }
}

extension AccessWidth {
    /// Half the width; nil of a byte.
    fileprivate var half: AccessWidth? { AccessWidth(rawValue: rawValue / 2) }
}
