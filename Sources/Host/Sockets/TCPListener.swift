// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// A TCP port of 127.0.0.1 that takes connections.
public struct TCPListener: ~Copyable, Sendable {
    /// The listening socket; readable when a connection waits.
    public let socket: Descriptor
    /// The port, also where 0 let the kernel choose.
    public let port: UInt16

    /// Listens on `port`; 0 lets the kernel choose one.
    public init(port: UInt16) throws(HostError) {
        let number = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw HostError("cannot make a socket", .current) }
        let socket = Descriptor(owning: FileDescriptor(rawValue: number))
        try socket.raw.setNonBlocking(true)

        var one: CInt = 1
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: locals of the sizes that are given, for the length of each call.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                // A port whose last connection has just ended may be taken again at once.
                unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
                return unsafe bind(number, generic, length) == 0 && listen(number, 4) == 0
                    && getsockname(number, generic, &length) == 0
            }
        }
        guard isBound else {
            throw HostError(
                "cannot listen on 127.0.0.1:\(port)", .current,
                remedy: "choose another port, or end what holds this one")
        }
        self.port = UInt16(bigEndian: address.sin_port)
        self.socket = socket
    }

    /// A connection that waits, non-blocking; nil where none does.
    public func accept() -> Descriptor? {
        let number = chost_accept(socket.number)
        guard number >= 0 else { return nil }
        var one: CInt = 1
        // Short packets are answered at once.
        // SAFETY: a local of the size that is given.
        unsafe _ = setsockopt(number, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        return Descriptor(owning: FileDescriptor(rawValue: number))
    }
}
