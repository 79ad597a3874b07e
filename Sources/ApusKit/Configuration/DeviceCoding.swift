// SPDX-License-Identifier: Apache-2.0

// Devices in a configuration file.

extension StorageDevice: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case file, readOnly, serial, thrownAway, limits }

    /// `{"file": PATH, "readOnly": true, "serial": TEXT, "thrownAway": true, "limits": "bps=10M"}`; all but the first may
    /// be left out.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "a disk")
        self.init(
            path: try object.decode(String.self, forKey: .file),
            isReadOnly: try object.value(.readOnly, default: false),
            serial: try object.decodeIfPresent(String.self, forKey: .serial))
        isThrownAway = try object.value(.thrownAway, default: false)
        limits = try object.text(.limits) { try IOLimits(parsing: $0, for: .disk) } ?? limits
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(path, forKey: .file)
        try object.encode(isReadOnly, forKey: .readOnly)
        try object.encodeIfPresent(serial, forKey: .serial)
        if isThrownAway { try object.encode(true, forKey: .thrownAway) }
        if !limits.isNone { try object.encode(limits.text(for: .disk), forKey: .limits) }
    }
}

extension NetworkDevice: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case kind, forward, host, interface, mac, limits }

    /// `{"kind": "user", "forward": ["tcp:127.0.0.1:8080:80"], "host": false}` or `{"kind": "tap", "interface": NAME}`,
    /// each with `"mac": "52:54:00:…"` and `"limits": "bps=10M"` or without.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "a network")
        let kind = try object.decode(String.self, forKey: .kind)
        switch kind {
        case "user" where !object.contains(.interface):
            var network = UserNetworkAttachment()
            network.forwards = try object.value(.forward, default: [String]()).map(PortForward.init(parsing:))
            network.reachesHost = try object.value(.host, default: false)
            self.init(attachment: .user(network))
        case "tap" where !object.contains(.forward) && !object.contains(.host):
            self.init(attachment: .tap(interface: try object.decode(String.self, forKey: .interface)))
        case "user", "tap":
            throw VirtualMachineError(
                .configuration, "a network of kind user takes forward and host, one of kind tap takes interface")
        default: throw VirtualMachineError.unknown("network", kind, valid: ["user", "tap"])
        }
        address = try object.decodeIfPresent(MACAddress.self, forKey: .mac)
        limits = try object.text(.limits) { try IOLimits(parsing: $0, for: .network) } ?? limits
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        switch attachment {
        case .user(let network):
            try object.encode("user", forKey: .kind)
            try object.encode(network.forwards.map(\.description), forKey: .forward)
            try object.encode(network.reachesHost, forKey: .host)
        case .tap(let interface):
            try object.encode("tap", forKey: .kind)
            try object.encode(interface, forKey: .interface)
        }
        try object.encodeIfPresent(address, forKey: .mac)
        if !limits.isNone { try object.encode(limits.text(for: .network), forKey: .limits) }
    }
}

extension SerialPort: Codable {
    public init(from decoder: any Decoder) throws { self.init(attachment: try StreamEnd(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try attachment.encode(to: encoder) }
}

extension ConsoleDevice: Codable {
    public init(from decoder: any Decoder) throws { self.init(attachment: try StreamEnd(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try attachment.encode(to: encoder) }
}

extension StreamEnd: Codable {
    /// As the command line writes it; besides `memory`, and `memory,shown` for one that is shown on stderr.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        switch text {
        case "memory": self = .memory(isShown: false)
        case "memory,shown": self = .memory(isShown: true)
        default: try self.init(parsing: text)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }

    /// What `init(parsing:)` reads, but for `memory`.
    var text: String {
        switch self {
        case .standardStreams: "stdio"
        case .file(let path): "file:\(path)"
        case .unixSocket(let path): "unix:\(path)"
        case .pseudoTerminal: "pty"
        case .memory(let isShown): isShown ? "memory,shown" : "memory"
        }
    }
}

extension ByteSize {
    /// Text such as `512M`, or a number of bytes.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let bytes = try? value.decode(UInt64.self) {
            self.init(bytes)
        } else {
            try self.init(parsing: value.decode(String.self))
        }
    }
}

extension Duration {
    /// What `parse` reads: whole seconds, rounded up.
    var text: String { "\(components.seconds + (components.attoseconds > 0 ? 1 : 0))s" }
}

extension DebugServer {
    /// As `init(parsing:)`, and port 0, which lets the host choose one.
    init(fileText text: String) throws(VirtualMachineError) {
        let chosen = "tcp:0"
        guard text == chosen || text == chosen + ",wait" else {
            try self.init(parsing: text)
            return
        }
        self.init(port: 0, waits: text != chosen)
    }

    /// What `init(fileText:)` reads.
    var text: String { "tcp:\(port)" + (waits ? ",wait" : "") }
}

extension TraceDestination {
    /// A destination as a file has it: `stderr` or `file:PATH`.
    init(parsing text: String) throws(VirtualMachineError) {
        if text == "stderr" {
            self = .standardError
        } else if text.hasPrefix("file:"), text.utf8.count > 5 {
            self = .file(path: String(text.dropFirst(5)))
        } else {
            throw .unknown("trace", text, valid: ["stderr", "file:PATH"])
        }
    }

    /// What `init(parsing:)` reads.
    var text: String {
        switch self {
        case .standardError: "stderr"
        case .file(let path): "file:\(path)"
        }
    }
}
