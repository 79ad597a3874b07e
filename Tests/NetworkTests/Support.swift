// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import Synchronization
import SystemPackage

/// What callbacks on other threads noted, in order.
final class Notes<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let gate = WaitGate()

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        gate.wake()
    }

    var all: [Value] { values.withLock { $0 } }

    /// Takes out the first value that `matches`, waiting for it until `deadline` of `MonotonicTime`.
    func take(until deadline: UInt64, _ matches: (Value) -> Bool) -> Value? {
        while true {
            let found = values.withLock { values in
                values.firstIndex(where: matches).map { values.remove(at: $0) }
            }
            if let found { return found }
            if MonotonicTime.now >= deadline { return nil }
            gate.wait(untilMonotonic: deadline)
        }
    }
}

/// Whether a test may make network namespaces.
let canMakeNamespaces = getuid() == 0 && access("/usr/sbin/ip", X_OK) == 0

/// Runs `body` on a thread in a network namespace made for it, in which the loopback is up and an interface has
/// `addresses`. Threads, children and sockets that `body` makes belong to it too. Its checks are made by the caller:
/// an expectation belongs on the test's own thread.
func inNamespace<R: Sendable>(_ addresses: [String] = [], _ body: @escaping @Sendable () throws -> R) throws -> R {
    let results = Notes<Result<R, any Error>>()
    let thread = try HostThread(name: "namespace") {
        results.add(
            Result {
                guard enterNewNamespace() == 0 else { throw Errno(rawValue: errno) }
                try runIP("link", "set", "lo", "up")
                try runIP("link", "add", "host0", "type", "veth", "peer", "name", "host1")
                try runIP("link", "set", "host0", "up")
                try runIP("link", "set", "host1", "up")
                for address in addresses { try addAddress(address) }
                return try body()
            })
    }
    thread.join()
    return try results.all[0].get()
}

/// Gives the interface `address`, with its prefix, usable at once.
func addAddress(_ address: String) throws {
    // Without duplicate detection an IPv6 address serves at once.
    if address.contains(":") {
        try runIP("address", "add", address, "dev", "host0", "nodad")
    } else {
        try runIP("address", "add", address, "dev", "host0")
    }
}

func runIP(_ arguments: String...) throws {
    let ending = try ChildProcess("/usr/sbin/ip", arguments, descriptors: [2: .standardError]).wait()
    if ending != .exited(0) { throw HostError("ip \(arguments.joined(separator: " ")) \(ending)") }
}

/// unshare(2) for the calling thread's network, which Swift's Glibc module does not have.
private func enterNewNamespace() -> CInt {
    guard let symbol = dlsym(nil, "unshare") else { return -1 }
    let newNetwork: CInt = 0x4000_0000
    return unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)(newNetwork)
}

/// A socket of the host's, as a service of it would have: bound to every address of both versions, not blocking.
final class Listener: Sendable {
    let number: CInt
    let port: UInt16
    private let isStream: Bool

    init(stream isStream: Bool, port wanted: UInt16 = 0) {
        self.isStream = isStream
        let type = isStream ? SOCK_STREAM : SOCK_DGRAM
        number = socket(AF_INET6, CInt(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = wanted.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutablePointer(to: &address) { [number] in
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(number, address, length)
                getsockname(number, address, &length)
            }
        }
        port = UInt16(bigEndian: address.sin6_port)
        if isStream { listen(number, 16) }
    }

    deinit { close(number) }

    /// Whether anything reaches it now or within twenty seconds.
    var isReachedSoon: Bool {
        let deadline = MonotonicTime.after(milliseconds: 20_000)
        while MonotonicTime.now < deadline {
            if wasReached { return true }
            usleep(10_000)
        }
        return wasReached
    }

    /// Whether anything reached it: a connection, or a datagram.
    var wasReached: Bool {
        if isStream {
            let connection = accept(number, nil, nil)
            if connection >= 0 { close(connection) }
            return connection >= 0
        }
        var byte: UInt8 = 0
        return recv(number, &byte, 1, 0) >= 0
    }
}

/// A TCP or UDP socket of the host's, connected to `address`, blocking with a bound of thirty seconds.
func connectedSocket(stream: Bool, to address: IPv4Address, port: UInt16) -> CInt {
    let number = socket(AF_INET, CInt((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue | SOCK_CLOEXEC.rawValue), 0)
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.value.bigEndian
    let result = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    return result == 0 ? number : -1
}
