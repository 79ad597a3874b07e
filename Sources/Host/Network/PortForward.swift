// SPDX-License-Identifier: Apache-2.0

/// A port of the host's that leads to a port of a guest's.
public struct PortForward: Hashable, Sendable, CustomStringConvertible {
    public enum TransportProtocol: String, CaseIterable, Sendable { case tcp, udp }

    public let transport: TransportProtocol
    /// The host's IPv4 address to listen at.
    public let address: IPv4Address
    public let hostPort: UInt16
    public let guestPort: UInt16

    /// What listens at this host alone.
    public static let defaultAddress = IPv4Address(127, 0, 0, 1)

    /// A forward from `hostPort` at `address` to `guestPort`.
    public init(
        _ transport: TransportProtocol, hostPort: UInt16, guestPort: UInt16, address: IPv4Address = defaultAddress
    ) {
        self.transport = transport
        self.address = address
        self.hostPort = hostPort
        self.guestPort = guestPort
    }

    /// Reads `tcp:HOSTPORT:GUESTPORT` or `udp:ADDRESS:HOSTPORT:GUESTPORT`.
    public init(_ text: String) throws(HostError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (3...4).contains(parts.count), let transport = TransportProtocol(rawValue: parts[0]),
            let hostPort = Self.port(parts[parts.count - 2]), let guestPort = Self.port(parts[parts.count - 1])
        else {
            throw HostError(
                "'\(text)' is no port forward",
                remedy: "write tcp:HOSTPORT:GUESTPORT or udp:ADDRESS:HOSTPORT:GUESTPORT, ports from 1 to 65535")
        }
        var address = Self.defaultAddress
        if parts.count == 4 {
            guard let given = IPv4Address(parts[1]) else {
                throw HostError(
                    "'\(parts[1])' in the port forward '\(text)' is no IPv4 address", remedy: "0.0.0.0 means all")
            }
            address = given
        }
        self.init(transport, hostPort: hostPort, guestPort: guestPort, address: address)
    }

    public var description: String { "\(transport.rawValue):\(address):\(hostPort):\(guestPort)" }

    private static func port(_ text: String) -> UInt16? {
        guard let port = UInt16(text), port > 0, text.allSatisfy(\.isNumber) else { return nil }
        return port
    }
}

/// An IPv4 address, as a number with its first byte highest.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt32

    public init(value: UInt32) { self.value = value }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        value = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Reads four decimal numbers with dots between; nil where `text` is something else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in part.allSatisfy { "0"..."9" ~= $0 } ? UInt8(part) : nil }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        self.init(bytes[0], bytes[1], bytes[2], bytes[3])
    }

    /// Whether it lies in the network of `network`'s first `prefix` bits.
    public func isIn(_ network: IPv4Address, _ prefix: UInt32) -> Bool {
        prefix == 0 || (value ^ network.value) >> (32 - prefix) == 0
    }

    public var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }
}
