// SPDX-License-Identifier: Apache-2.0

/// What user networking is to be like: what a VM hands to its network child, as the child's arguments.
public struct UserNetworkOptions: Hashable, Sendable {
    /// Ports of the host's that lead to the guest.
    public var forwards: [PortForward] = []
    /// Whether the guest may reach this host: by the gateway's address its loopback, and its own addresses.
    public var reachesHost = false
    /// The name that DHCP gives the guest; none: the guest keeps its own.
    public var hostname: String?
    /// How far the child confines itself.
    public var sandbox = SandboxPolicy.Mode.on
    /// Whom a child of root's becomes; `nobody` where nothing is said.
    public var account: UserAccount?

    /// No forwards, no way to the host.
    public init() {}

    /// The child's arguments.
    public var arguments: [String] {
        forwards.map { "--forward=\($0)" } + (reachesHost ? ["--host"] : [])
            + (hostname.map { ["--hostname=\($0)"] } ?? []) + ["--sandbox=\(sandbox.rawValue)"]
            + (account.map { ["--user=\($0.user):\($0.group)"] } ?? [])
    }

    /// Reads what `arguments` wrote.
    public init(arguments: some Sequence<String>) throws(HostError) {
        for argument in arguments {
            if argument == "--host" {
                reachesHost = true
            } else if let text = argument.suffix(after: "--forward=") {
                forwards.append(try PortForward(text))
            } else if let text = argument.suffix(after: "--hostname=") {
                try Self.check(hostname: text)
                hostname = text
            } else if let mode = argument.suffix(after: "--sandbox=").flatMap(SandboxPolicy.Mode.init(rawValue:)) {
                sandbox = mode
            } else if let text = argument.suffix(after: "--user=") {
                account = try UserAccount(text)
            } else {
                throw HostError(
                    "'\(argument)' is no option here",
                    remedy: "the options are --forward, --host, --hostname, --sandbox, --user")
            }
        }
    }

    /// Throws where `hostname` is no label of a domain name (RFC 1123 §2.1).
    public static func check(hostname: String) throws(HostError) {
        let allowed = hostname.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || byte == UInt8(ascii: "-")
        }
        guard allowed, (1...63).contains(hostname.utf8.count), !hostname.hasPrefix("-"), !hostname.hasSuffix("-") else {
            throw HostError(
                "'\(hostname)' is no host name", remedy: "use 1 to 63 letters, digits and hyphens between them")
        }
    }
}

extension String {
    /// What follows `prefix`, or nil where the string begins otherwise.
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
