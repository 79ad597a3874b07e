// SPDX-License-Identifier: Apache-2.0

import Host
import Testing

@Suite struct PortForwardTests {
    @Test(
        "forwards are read as they are written",
        arguments: [
            ("tcp:2222:22", PortForward(.tcp, hostPort: 2222, guestPort: 22)),
            ("udp:0.0.0.0:53:5353", PortForward(.udp, hostPort: 53, guestPort: 5353, address: IPv4Address(0, 0, 0, 0))),
            (
                "tcp:192.168.1.5:65535:1",
                PortForward(.tcp, hostPort: 65535, guestPort: 1, address: IPv4Address(192, 168, 1, 5))
            ),
        ])
    func valid(text: String, forward: PortForward) throws {
        #expect(try PortForward(text) == forward)
        #expect(try PortForward(forward.description) == forward)
    }

    @Test(
        "what is no forward is refused",
        arguments: [
            "", "tcp", "tcp:22", "tcp:0:22", "tcp:22:0", "tcp:65536:22", "tcp:22:65536", "tcp:-1:22", "tcp:+1:22",
            "sctp:1:2",
            "tcp:1.2.3:1:2", "tcp:1.2.3.256:1:2", "tcp:host:1:2", "tcp:1.2.3.4:1:2:3", "tcp: 1:2", "TCP:1:2",
            "tcp:1:2:",
        ])
    func invalid(text: String) {
        #expect(throws: HostError.self) { try PortForward(text) }
    }

    @Test("options survive the way through the child's arguments")
    func arguments() throws {
        var options = UserNetworkOptions()
        options.forwards = [try PortForward("tcp:2222:22"), try PortForward("udp:0.0.0.0:1:2")]
        options.reachesHost = true
        options.hostname = "guest-1"
        #expect(try UserNetworkOptions(arguments: options.arguments) == options)
        #expect(try UserNetworkOptions(arguments: [String]()) == UserNetworkOptions())
    }

    @Test(
        "host names that are none are refused",
        arguments: ["", "-a", "a-", "a b", "a.b", "é", String(repeating: "a", count: 64)])
    func hostnames(name: String) {
        #expect(throws: HostError.self) { try UserNetworkOptions.check(hostname: name) }
    }
}
