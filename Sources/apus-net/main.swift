// SPDX-License-Identifier: Apache-2.0
//
// The network child: what talks to the outside for a guest. It shares a socket with its VM (descriptor 3) and nothing
// else, can do nothing but speak to the internet, and ends with the VM. Started by `UserNetwork`, not by hand.

import Glibc
import Host
import SystemPackage

let channel = PacketChannel(FileDescriptor(rawValue: 3))
HostProcess.prepare()

do throws(HostError) {
    let options = try UserNetworkOptions(arguments: CommandLine.arguments.dropFirst())
    try endWithParent(channel.socket)
    try limitResources()
    channel.enlargeBuffers()
    // Ports below 1024 are bound while there is still a right to.
    let stack = try SlirpStack(options)
    let relay = try Relay(channel, stack, reachesHost: options.reachesHost)
    // Everything is open that is not the guest's to ask for.
    let confinement = try confine(options, tell: channel)
    _ = channel.send(.ready, Array(confinement.utf8.prefix(4000)))
    try relay.run()
} catch {
    _ = channel.send(.failure, Array(error.description.utf8.prefix(4000)))
    // Where nobody listens, somebody has started it by hand.
    if fcntl(channel.socket.rawValue, F_GETFD) < 0 {
        _ = try? FileDescriptor.standardError.writeAll("apus-net: \(error)\n".utf8)
    }
    exit(1)
}
