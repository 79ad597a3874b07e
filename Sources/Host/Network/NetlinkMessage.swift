// SPDX-License-Identifier: Apache-2.0

/// A message of the kernel's about addresses: a nlmsghdr and what follows it, in the host's byte order (netlink(7),
/// rtnetlink(7)). What is cut short reads as absent.
struct NetlinkMessage {
    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let newAddress: UInt16 = 20

    private static let headerSize = 16
    /// The size of ifaddrmsg: family, prefix length, flags, scope, index.
    private static let addressSize = 8
    private static let internet4: UInt8 = 2
    private static let internet6: UInt8 = 10

    let type: UInt16
    let flags: UInt16
    private let payload: ArraySlice<UInt8>

    /// The dump that it belongs to is inconsistent.
    var isInterrupted: Bool { flags & 0x10 != 0 }

    static func header(length: UInt32, type: UInt16, flags: UInt16) -> [UInt8] {
        bytes(length) + bytes(type) + bytes(flags) + [UInt8](repeating: 0, count: 8)
    }

    /// The messages in what one receive brought.
    static func messages(in buffer: ArraySlice<UInt8>) -> [NetlinkMessage] {
        var rest = buffer
        var result: [NetlinkMessage] = []
        while rest.count >= headerSize {
            let length = Int(integer(rest, at: 0, size: 4))
            guard length >= headerSize, length <= rest.count else { break }
            let start = rest.startIndex
            result.append(
                NetlinkMessage(
                    type: UInt16(integer(rest, at: 4, size: 2)), flags: UInt16(integer(rest, at: 6, size: 2)),
                    payload: rest[(start + headerSize)..<(start + length)]))
            rest = rest.dropFirst(aligned(length))
        }
        return result
    }

    /// Of RTM_NEWADDR: the interface's own address, and for IPv4 the broadcast address of its network.
    var addresses: [HostAddresses.Bytes] {
        guard payload.count >= Self.addressSize else { return [] }
        let family = payload[payload.startIndex]
        let prefix = Int(payload[payload.startIndex + 1])
        let size = family == Self.internet4 ? 4 : family == Self.internet6 ? 16 : 0
        // IFA_LOCAL is the interface's own where the link has two ends, and IFA_ADDRESS (1) then the other's.
        guard size > 0, let own = attribute(2, size: size) ?? attribute(1, size: size) else { return [] }
        // Whether or not it was configured, the kernel treats the highest address of an IPv4 network as broadcast, but
        // for links of two addresses (RFC 3021).
        guard size == 4, prefix < 31 else { return [own] }
        let highest = own.enumerated().map { index, byte in
            let bits = min(max(prefix - index * 8, 0), 8)
            return byte | UInt8(truncatingIfNeeded: 0xFF >> bits)
        }
        return [own, highest]
    }

    private func attribute(_ wanted: UInt16, size: Int) -> [UInt8]? {
        var rest = payload.dropFirst(Self.addressSize)
        while rest.count >= 4 {
            let length = Int(Self.integer(rest, at: 0, size: 2))
            guard length >= 4, length <= rest.count else { return nil }
            if Self.integer(rest, at: 2, size: 2) == UInt64(wanted), length == 4 + size {
                return Array(rest.dropFirst(4).prefix(size))
            }
            rest = rest.dropFirst(Self.aligned(length))
        }
        return nil
    }

    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

    private static func integer(_ bytes: ArraySlice<UInt8>, at offset: Int, size: Int) -> UInt64 {
        let field = bytes.dropFirst(offset).prefix(size)
        #if _endian(little)
        return field.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        #else
        return field.reduce(0) { $0 << 8 | UInt64($1) }
        #endif
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        let size = value.bitWidth / 8
        #if _endian(little)
        return (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        #else
        return (0..<size).map { UInt8(truncatingIfNeeded: value >> ((size - 1 - $0) * 8)) }
        #endif
    }
}
