// SPDX-License-Identifier: Apache-2.0

/// A virtio network card.
public struct NetworkDevice: Sendable, Equatable {
    /// What the card's cable ends at.
    public enum Attachment: Sendable, Equatable {
        /// A network of the guest's own, translated to the host's by an unprivileged process.
        case user(UserNetworkAttachment)
        /// A tap interface of the host's.
        case tap(interface: String)
    }

    public var attachment: Attachment
    /// The card's address; nil for a random one at each start.
    public var address: MACAddress?
    /// How much it may carry, each way.
    public var limits = IOLimits()

    /// A card on `attachment`.
    public init(attachment: Attachment) { self.attachment = attachment }

    /// A card as the command line writes it, or nil for `none`:
    /// `user[,forward=tcp|udp:[ADDRESS:]HOSTPORT:GUESTPORT]…[,host=on]`, `tap,ifname=NAME`, each with
    /// `mac=ADDRESS` and limits (`IOLimits`).
    public static func parse(_ text: String) throws(VirtualMachineError) -> NetworkDevice? {
        var words = OptionWords(text, separator: ",")
        var device = NetworkDevice(attachment: .user(UserNetworkAttachment()))
        switch words.next() {
        case "none": return try none(&words)
        case "user": device.attachment = .user(try user(&words, &device))
        case "tap": device.attachment = .tap(interface: try tap(&words, &device))
        case let kind: throw .unknown("network", kind ?? "", valid: ["none", "user", "tap"])
        }
        try device.validate()
        return device
    }

    /// Checks what needs no host.
    func validate() throws(VirtualMachineError) { try limits.validate(for: .network) }

    /// Takes an option that every kind of network has.
    private mutating func take(_ key: String, _ value: String?) throws(VirtualMachineError) -> Bool {
        guard let value else { return false }
        guard key == "mac" else { return try limits.take(key, value, for: .network) }
        address = try MACAddress(parsing: value)
        return true
    }

    private static let commonWords = "mac=ADDRESS, " + IOLimits.words(.network)

    private static func none(_ words: inout OptionWords) throws(VirtualMachineError) -> NetworkDevice? {
        if let word = words.next() {
            throw VirtualMachineError(.configuration, "network none takes no options, not '\(word)'")
        }
        return nil
    }

    private static func user(
        _ words: inout OptionWords, _ device: inout NetworkDevice
    ) throws(VirtualMachineError) -> UserNetworkAttachment {
        var network = UserNetworkAttachment()
        while let word = words.next() {
            let (key, value) = OptionWords.pair(word)
            switch (key, value) {
            case ("forward", let value?): network.forwards.append(try PortForward(parsing: value))
            case ("host", "on"): network.reachesHost = true
            case ("host", "off"): network.reachesHost = false
            case _ where try device.take(key, value): break
            default:
                throw VirtualMachineError(
                    .configuration,
                    "network option '\(word)' is not known; valid for user are forward=tcp:HOSTPORT:GUESTPORT, "
                        + "host=on|off, \(commonWords)")
            }
        }
        return network
    }

    private static func tap(
        _ words: inout OptionWords, _ device: inout NetworkDevice
    ) throws(VirtualMachineError) -> String {
        var interface: String?
        while let word = words.next() {
            let (key, value) = OptionWords.pair(word)
            switch (key, value) {
            case ("ifname", let name?): interface = name
            case _ where try device.take(key, value): break
            default:
                throw VirtualMachineError(
                    .configuration,
                    "network option '\(word)' is not known; valid for tap are ifname=NAME, \(commonWords)")
            }
        }
        // Linux: IFNAMSIZ is 16 with the terminating zero.
        guard let interface, (1...15).contains(interface.utf8.count), !interface.contains("/") else {
            throw VirtualMachineError(
                .configuration, "network tap needs ifname=NAME, the tap interface's name of 1 to 15 characters")
        }
        return interface
    }
}

/// A network of the guest's own with DHCP and DNS, translated to the host's sockets.
public struct UserNetworkAttachment: Sendable, Equatable {
    /// Ports of the host that lead to the guest.
    public var forwards: [PortForward] = []
    /// Whether the guest may reach services of the host itself.
    public var reachesHost = false

    /// A network without forwards, from which the host is out of reach.
    public init() {}
}

/// A port of the host that leads to a port of the guest.
public struct PortForward: Sendable, Equatable {
    public enum Transport: String, CaseIterable, Sendable { case tcp, udp }

    public var transport: Transport
    /// The host's address that listens; `127.0.0.1` unless told.
    public var hostAddress: String
    public var hostPort: UInt16
    public var guestPort: UInt16

    public init(_ transport: Transport, hostAddress: String = "127.0.0.1", hostPort: UInt16, guestPort: UInt16) {
        self.transport = transport
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.guestPort = guestPort
    }

    /// A forward as the command line writes it: `tcp|udp:[ADDRESS:]HOSTPORT:GUESTPORT`, an IPv4 address.
    public init(parsing text: String) throws(VirtualMachineError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 || parts.count == 4 else {
            throw VirtualMachineError(
                .configuration,
                "forward '\(text)' cannot be read; write tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT")
        }
        guard let transport = Transport(rawValue: parts[0]) else {
            throw .unknown("forward protocol", parts[0], valid: Transport.allCases.map(\.rawValue))
        }
        let address = parts.count == 4 ? parts[1] : "127.0.0.1"
        guard PortForward.isIPv4(address) else {
            throw VirtualMachineError(
                .configuration, "forward address '\(address)' is no IPv4 address such as 127.0.0.1 or 0.0.0.0")
        }
        self.init(
            transport, hostAddress: address, hostPort: try PortForward.port(parts[parts.count - 2]),
            guestPort: try PortForward.port(parts[parts.count - 1]))
    }

    /// A port number as text.
    static func port(_ text: String) throws(VirtualMachineError) -> UInt16 {
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(text), port > 0 else {
            throw VirtualMachineError(.configuration, "port '\(text)' is not a number from 1 to 65535")
        }
        return port
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                    && UInt8(part) != nil
            }
    }
}
