// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import SandboxSupport
import SystemPackage
import Testing

@testable import apus_net

/// A network child that makes calls in the place of its threads before it serves.
private struct ProbedChild {
    let ending: ChildProcess.Ending?
    let lines: [String]

    /// Makes `script`'s calls; what it said until it served or ended.
    init(_ script: String) throws {
        let pair = try Descriptor.socketPair(.packets)
        let child = try ChildProcess(
            try UserNetwork.program(), UserNetworkOptions().arguments, environment: ["APUS_SANDBOX_PROBE=\(script)"],
            descriptors: [3: pair.second.raw])
        try pair.second.take().close()
        let channel = PacketChannel(pair.first.raw)
        var buffer = [UInt8](repeating: 0, count: PacketChannel.largestFrame + 2)
        var said: [String] = []
        var isOver = false
        while !isOver {
            var entry = pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, 20_000)
            switch channel.receive(using: &buffer) {
            case .packet(.notice, let text): said.append(String(decoding: text, as: UTF8.self))
            default: isOver = true
            }
        }
        lines = said
        // One that serves ends when its socket does.
        try pair.first.take().close()
        ending = child.wait()
    }
}

@Suite(.timeLimit(.minutes(10))) struct ChildSandboxTests {
    @Test(
        "what the child must not do is refused on each of its threads",
        arguments: ForbiddenAct.filesAndSockets + ForbiddenAct.otherSockets + ForbiddenAct.limited)
    func refused(act: ForbiddenAct) throws {
        let child = try ProbedChild("* " + act.call)
        #expect(child.lines.count == 2)
        #expect(child.lines.allSatisfy(act.isRefused), "\(child.lines)")
    }

    @Test("an intruder's acts end the child", arguments: ForbiddenAct.fatal, ["main", "parent"])
    func fatal(act: ForbiddenAct, thread: String) throws {
        let child = try ProbedChild("\(thread) \(act.call)")
        #expect(child.lines == [])
        #expect(child.ending == .signalled(SIGSYS))
    }

    @Test(
        "internet sockets can be made", arguments: ["socket 2 1 0", "socket 2 2 0", "socket 10 1 0", "socket 10 2 0"])
    func sockets(call: String) throws {
        let child = try ProbedChild("main \(call)")
        let number = try #require(child.lines.first?.split(separator: " ").last)
        #expect(Int(number) ?? -1 >= 0)
        #expect(child.ending == .exited(0))
    }

    @Test("/etc/resolv.conf can be read, and neither written nor run")
    func resolver() throws {
        try #require(access("/etc/resolv.conf", R_OK) == 0, "this host has no name servers")
        let child = try ProbedChild(
            """
            main openat -100 "/etc/resolv.conf" 0
            main openat -100 "/etc/resolv.conf" 1
            main openat -100 "/etc/hostname" 0
            """)
        let words = child.lines.map { $0.split(separator: "=").last.map(String.init) ?? "" }
        #expect(words.count == 3)
        #expect(Int(words[0].dropFirst()) ?? -1 >= 0)
        #expect(words[1] == " Permission denied")
        #expect(words[2] == " Permission denied")
    }

    @Test("every thread of the child has no new privileges, a filter, no capability and another user")
    func status() throws {
        let guest = try GuestClient()
        let pid = try #require(guest.network.processID)
        let isRoot = geteuid() == 0
        let threads = Directory.names(FilePath("/proc/\(pid)/task"))
        #expect(threads.count == 2)
        for thread in threads {
            let text = try TextFile.read(FilePath("/proc/\(pid)/task/\(thread)/status"), limit: 1 << 16)
            let status = ThreadStatus(text)
            #expect(
                status.isConfined(
                    user: isRoot ? 65534 : geteuid(), group: isRoot ? 65534 : getegid(), wasRoot: isRoot), "\(status)")
        }
        #expect(guest.network.sandboxLacks == [])
        guest.close()
    }

    @Test(
        "without a sandbox root becomes another user all the same",
        .enabled(if: geteuid() == 0, "only root changes users")
    )
    func off() throws {
        var options = UserNetworkOptions()
        options.sandbox = .off
        let guest = try GuestClient(options)
        let pid = try #require(guest.network.processID)
        let status = try TextFile.read(FilePath("/proc/\(pid)/status"), limit: 1 << 16)
        #expect(status.contains("Uid:\t65534"))
        #expect(status.contains("CapEff:\t0000000000000000"))
        #expect(status.contains("Seccomp:\t0"))
        guest.close()
    }

    @Test("names, echoes and connections to the outside do not end the child", arguments: outsideFrames)
    func outside(frame: [UInt8]) throws {
        let guest = try GuestClient()
        guest.send(frame)
        #expect(guest.resolve(VirtualNetwork.gateway4) != nil)
        #expect(guest.failures.all.isEmpty)
        guest.close()
    }
}

/// A question for a name (RFC 1035 §4.1), an echo and a connection, to documentation's addresses (RFC 5737).
private let outsideFrames = [
    Frames.udp(
        to: VirtualNetwork.nameServer4, port: 53,
        [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [7] + Array("invalid".utf8) + [0, 0, 1, 0, 1]),
    Frames.echo(to: .v4(192, 0, 2, 1)),
    Frames.tcp(to: .v4(192, 0, 2, 1), port: 80),
]
