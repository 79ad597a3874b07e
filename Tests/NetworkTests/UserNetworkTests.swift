// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import SystemPackage
import Testing

@testable import apus_net

@Suite(.timeLimit(.minutes(10)), .serialized) struct UserNetworkTests {
    @Test("DHCP offers and acknowledges the guest's address, router, name server and name")
    func dhcp() throws {
        var options = UserNetworkOptions()
        options.hostname = "swift-guest"
        let guest = try GuestClient(options)
        let offer = try #require(guest.dhcp(1))
        #expect(offer.type == 2)
        #expect(offer.address == VirtualNetwork.guest4)
        #expect(offer.options[1] == [255, 255, 255, 0])
        #expect(offer.options[3] == VirtualNetwork.gateway4.bytes)
        #expect(offer.options[6] == VirtualNetwork.nameServer4.bytes)
        #expect(offer.options[12] == Array("swift-guest".utf8))
        let acknowledgement = try #require(guest.dhcp(3))
        #expect(acknowledgement.type == 5)
        guest.close()
    }

    @Test(
        "the gateway and the name server answer ARP and echo",
        arguments: [
            VirtualNetwork.gateway4, VirtualNetwork.nameServer4,
        ])
    func addresses(address: Address) throws {
        let guest = try GuestClient()
        #expect(guest.resolve(address) == [0x52, 0x55] + address.bytes)
        guest.send(Frames.echo(to: address))
        #expect(guest.receive { packet, _ in packet.source == address && packet.transport == .icmp(0) } != nil)
        guest.close()
    }

    @Test("frames of any length and content do the child no harm")
    func garbage() throws {
        let guest = try GuestClient()
        var random = SystemRandomNumberGenerator()
        let kinds: [[UInt8]] = [[8, 0], [8, 6], [0x86, 0xDD]]
        for round in 0..<3000 {
            var frame = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if frame.count > 14 { frame.replaceSubrange(12..<14, with: kinds[round % 3]) }
            guest.send(frame)
            if round % 100 == 0 { usleep(1000) }
        }
        guest.send([UInt8](repeating: 0, count: PacketChannel.largestFrame))
        guest.send([UInt8](repeating: 0, count: 100_000))
        #expect(guest.resolve(VirtualNetwork.gateway4) != nil)
        #expect(guest.failures.all.isEmpty)
        #expect(guest.network.statistics.dropped >= 1)
        guest.close()
    }

    @Test("the end of the child is told once, and the guest's frames are dropped from then on")
    func childEnds() throws {
        let guest = try GuestClient()
        let pid = try #require(guest.network.processID)
        kill(pid, SIGKILL)
        let sentence = guest.failures.take(until: MonotonicTime.after(milliseconds: 30_000)) { _ in true }
        #expect(sentence == "the network child was ended by signal 9: the guest has no network any more")
        let before = guest.network.statistics.dropped
        guest.send(Frames.arp(1, target: VirtualNetwork.gateway4))
        #expect(guest.network.statistics.dropped == before + 1)
        guest.close()
        #expect(guest.failures.all.isEmpty)
    }

    @Test("the child has the socket and its own descriptors, no others, and no rights")
    func confinement() async {
        // In a process of its own: what other tests start would inherit the stray descriptor too.
        await #expect(processExitsWith: .success) {
            let stray = try Descriptor.open("/etc/hostname", .readOnly)
            _ = fcntl(stray.number, F_SETFD, 0)
            let guest = try GuestClient()
            let pid = guest.network.processID ?? 0
            let links = Directory.names(FilePath("/proc/\(pid)/fd")).map { name in
                var target = [UInt8](repeating: 0, count: 256)
                let count = readlink("/proc/\(pid)/fd/\(name)", &target, 255)
                return String(decoding: target[..<max(0, count)], as: UTF8.self)
            }
            guard links.allSatisfy({ $0 == "/dev/null" || $0.hasPrefix("socket:") }), !links.isEmpty else { exit(2) }
            let status = try TextFile.read(FilePath("/proc/\(pid)/status"), limit: 1 << 16)
            guard status.contains("NoNewPrivs:\t1"), status.contains("CapEff:\t0000000000000000") else { exit(3) }
            guard !status.contains("Uid:\t0") else { exit(4) }
            guest.close()
            exit(fcntl(stray.number, F_GETFD) >= 0 ? 0 : 5)
        }
    }

    @Test(
        "a program that does not serve is an error",
        arguments: [
            ("/bin/true", "the network child exited with status 0 before it served"),
            ("/nowhere/apus-net", "cannot run '/nowhere/apus-net': no such file or directory"),
        ])
    func wrongProgram(program: String, message: String) throws {
        let loop = try EventLoop()
        let error = #expect(throws: HostError.self) {
            try UserNetwork(UserNetworkOptions(), loop: loop, program: FilePath(program))
        }
        #expect(error?.description == message)
    }

    @Test("a port in use is an error with its number")
    func portInUse() throws {
        let listener = Listener(stream: true)
        var options = UserNetworkOptions()
        options.forwards = [PortForward(.tcp, hostPort: listener.port, guestPort: 22)]
        let error = #expect(throws: HostError.self) { try GuestClient(options) }
        let start = "user networking: cannot forward tcp port \(listener.port) of 127.0.0.1: address already in use;"
        #expect(error?.description.hasPrefix(start) == true)
    }

    @Test("fifty networks leave no descriptor, thread or child behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let count = { (Directory.names("/proc/self/fd").count, Directory.names("/proc/self/task").count) }
            let before = count()
            for _ in 0..<50 {
                let guest = try GuestClient()
                guard guest.resolve(VirtualNetwork.gateway4) != nil else { exit(2) }
                guest.close()
            }
            let deadline = MonotonicTime.after(milliseconds: 20_000)
            var isClean = false
            while !isClean, MonotonicTime.now < deadline {
                usleep(10_000)
                let after = count()
                isClean =
                    after.0 < before.0 + 25 && after.1 < before.1 + 25 && childPIDs(named: "apus-net").isEmpty
            }
            exit(isClean ? 0 : 1)
        }
    }

    @Test("the child ends with its VM, whatever way that ends")
    func endsWithParent() async throws {
        let file = FilePath("/tmp/apus-net-test-\(getpid())")
        defer { unlink(file.string) }
        setenv("APUS_TEST_PID_FILE", file.string, 1)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let guest = try GuestClient()
            let pid = guest.network.processID ?? 0
            let file = try Descriptor.open(
                FilePath(String(cString: getenv("APUS_TEST_PID_FILE"))), .writeOnly, options: [.create, .truncate])
            try file.raw.writeAll(Array("\(pid)".utf8))
            kill(getpid(), SIGKILL)
            guest.close()
        }
        let pid = try #require(pid_t(try TextFile.read(file, limit: 20)))
        let deadline = MonotonicTime.after(milliseconds: 30_000)
        while access("/proc/\(pid)", F_OK) == 0, MonotonicTime.now < deadline { usleep(10_000) }
        #expect(access("/proc/\(pid)/exe", F_OK) != 0)
    }
}

/// The living children of this process that run `name`.
private func childPIDs(named name: String) -> [pid_t] {
    Directory.names("/proc").compactMap { pid_t($0) }.filter { pid in
        guard let stat = try? TextFile.read(FilePath("/proc/\(pid)/stat"), limit: 4096) else { return false }
        // pid (name) state parent …
        guard stat.contains("(\(name))"), let rest = stat.split(separator: ")").last else { return false }
        let fields = rest.split(separator: " ")
        return fields[0] != "Z" && fields[1] == "\(getpid())"
    }
}
