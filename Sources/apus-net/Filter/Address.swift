// SPDX-License-Identifier: Apache-2.0

/// An address of the internet protocol, of either version.
enum Address: Hashable {
    /// The first byte highest.
    case v4(UInt32)
    /// The first 8 bytes and the last, the first byte of each highest.
    case v6(UInt64, UInt64)

    /// 4 or 16 bytes as on the wire; nil for another count.
    init?(_ bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self = .v6(
                bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// As on the wire.
    var bytes: [UInt8] {
        switch self {
        case .v4(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        case .v6(let high, let low):
            [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) } }
        }
    }

    /// IPv4 in dotted decimals.
    static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> Address {
        .v4(UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
    }

    /// Whether the first `prefix` bits are those of `network`.
    func isIn(_ network: Address, _ prefix: UInt64) -> Bool {
        switch (self, network) {
        case (.v4(let a), .v4(let b)): prefix == 0 || (a ^ b) >> (32 - UInt32(prefix)) == 0
        case (.v6(let high, let low), .v6(let netHigh, let netLow)):
            if prefix <= 64 {
                prefix == 0 || (high ^ netHigh) >> (64 - prefix) == 0
            } else {
                high == netHigh && (low ^ netLow) >> (128 - prefix) == 0
            }
        default: false
        }
    }

    /// The IPv4 address that a translator would send this IPv6 address on to, if it is of such a kind.
    var embedded: Address? {
        guard case .v6(let high, let low) = self else { return nil }
        // RFC 6052 §2.1: NAT64's well-known prefix. RFC 3056 §2: 6to4.
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return .v4(UInt32(truncatingIfNeeded: low)) }
        if high >> 48 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: high >> 16)) }
        return nil
    }
}

/// The guest's little network, as it is made for libslirp.
enum VirtualNetwork {
    static let network4 = Address.v4(10, 0, 2, 0)
    static let prefix4: UInt64 = 24
    static let gateway4 = Address.v4(10, 0, 2, 2)
    static let nameServer4 = Address.v4(10, 0, 2, 3)
    static let guest4 = Address.v4(10, 0, 2, 15)
    static let network6 = Address.v6(0xFEC0_0000_0000_0000, 0)
    static let prefix6: UInt64 = 64
    static let gateway6 = Address.v6(0xFEC0_0000_0000_0000, 2)
    static let nameServer6 = Address.v6(0xFEC0_0000_0000_0000, 3)
    static let linkLocal = Address.v6(0xFE80_0000_0000_0000, 0)
    static let linkGateway6 = Address.v6(0xFE80_0000_0000_0000, 2)
    static let linkNameServer6 = Address.v6(0xFE80_0000_0000_0000, 3)
}
