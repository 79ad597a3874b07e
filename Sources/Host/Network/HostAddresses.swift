// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// The addresses of this host, in the network namespace it runs in, asked of the kernel over sockets that are open from
/// the beginning: a confined process can make no others (rtnetlink(7)).
public final class HostAddresses {
    /// An address of an interface: 4 bytes of IPv4 or 16 of IPv6, as on the wire.
    public typealias Bytes = [UInt8]

    /// Becomes readable when an address or link changes, and is then to be drained.
    public let changes: FileDescriptor
    private let changesOwner: Descriptor
    private let question: Descriptor

    /// Opens both sockets.
    public init() throws(HostError) {
        question = try Self.socket(hearsChanges: false)
        changesOwner = try Self.socket(hearsChanges: true)
        changes = changesOwner.raw
    }

    private static func socket(hearsChanges: Bool) throws(HostError) -> Descriptor {
        let number = chost_address_socket(hearsChanges)
        guard number >= 0 else {
            throw HostError("cannot ask for the addresses of this host", Errno(rawValue: -number))
        }
        return Descriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Forgets the messages about changes, which only say that there was one.
    public func drainChanges() {
        var message = [UInt8](repeating: 0, count: 8192)
        while case .bytes(1...) = changes.receive(into: &message) {}
    }

    /// The addresses of all interfaces, and the broadcast addresses of their IPv4 networks.
    public func all() throws(HostError) -> Set<Bytes> {
        // An answer that others changed meanwhile says so, and is asked for again (NLM_F_DUMP_INTR).
        for _ in 0..<8 {
            if let result = try ask() { return result }
        }
        throw HostError("the addresses of this host change faster than they can be read")
    }

    private func ask() throws(HostError) -> Set<Bytes>? {
        // A nlmsghdr, RTM_GETADDR with NLM_F_REQUEST and NLM_F_DUMP, and a rtgenmsg for every family.
        let request: [UInt8] = NetlinkMessage.header(length: 20, type: 22, flags: 0x301) + [0, 0, 0, 0]
        guard case .bytes(request.count) = question.raw.transmit(request[...]) else {
            throw HostError("cannot ask for the addresses of this host", .current)
        }
        var result: Set<Bytes> = []
        var isWhole = true
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var entry = pollfd(fd: question.number, events: Int16(POLLIN), revents: 0)
            // SAFETY: one entry, the local. The kernel answers at once.
            guard unsafe poll(&entry, 1, 5000) > 0, case .bytes(let count) = question.raw.receive(into: &buffer) else {
                throw HostError("the kernel does not tell the addresses of this host", .current)
            }
            for message in NetlinkMessage.messages(in: buffer[..<count]) {
                if message.isInterrupted { isWhole = false }
                switch message.type {
                case NetlinkMessage.done: return isWhole ? result : nil
                case NetlinkMessage.error: throw HostError("the kernel does not tell the addresses of this host")
                case NetlinkMessage.newAddress: result.formUnion(message.addresses)
                default: continue
                }
            }
        }
    }
}
