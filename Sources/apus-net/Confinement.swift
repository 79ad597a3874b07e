// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage

/// Ends this process when the other end of `socket` is closed, whatever the main thread is doing then.
///
/// Not PR_SET_PDEATHSIG: that goes by the thread that started the child, which may end long before its process.
func endWithParent(_ socket: FileDescriptor) throws(HostError) {
    // Held by nobody: it runs as long as the process.
    _ = try HostThread(name: "parent", stackSize: 64 << 10) {
        var entry = pollfd(fd: socket.rawValue, events: 0, revents: 0)
        // A hang-up and an error are told without being asked for.
        // SAFETY: one entry, the local.
        while unsafe poll(&entry, 1, -1) < 0 || entry.revents == 0 {}
        _exit(0)
    }
}

/// Bounds what a guest can make this process take: descriptors, each a connection, and memory.
func limitResources() throws(HostError) {
    for (resource, most) in [(RLIMIT_NOFILE, rlim_t(4096)), (RLIMIT_AS, rlim_t(2) << 30)] {
        var limit = rlimit()
        // SAFETY: fills and reads the local.
        unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_max, most)
        limit.rlim_max = limit.rlim_cur
        guard unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else {
            throw HostError("cannot limit the network child's resources", Errno(rawValue: errno))
        }
    }
}

/// Enters the sandbox; without one root becomes another user all the same. What became of it: a line, then what the host
/// lacks, a line each.
func confine(_ options: UserNetworkOptions, tell channel: PacketChannel) throws(HostError) -> String {
    let probe = try SandboxProbe.requested()
    var policy = SandboxPolicy.networkChild(options.sandbox, account: options.account)
    policy.keepsProbes = probe != nil
    let state = try Sandbox.enter(policy)
    probe?.run { line in _ = channel.send(.notice, Array("probe: \(line)".utf8)) }
    return ([state.description] + state.lacking).joined(separator: "\n")
}
