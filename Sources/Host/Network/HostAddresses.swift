// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// The addresses of this host, in the network namespace it runs in.
public enum HostAddresses {
    /// An address of an interface: 4 bytes of IPv4 or 16 of IPv6, as on the wire.
    public typealias Bytes = [UInt8]

    /// The addresses of all interfaces, and the broadcast addresses of their IPv4 networks.
    public static func all() throws(HostError) -> Set<Bytes> {
        var list: UnsafeMutablePointer<ifaddrs>?
        // SAFETY: fills the local; the list lives until freeifaddrs, and each address has its family's size.
        guard unsafe getifaddrs(&list) == 0 else {
            throw HostError("cannot list the addresses of this host", .current)
        }
        defer { unsafe freeifaddrs(list) }
        var result: Set<Bytes> = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe bytes(of: entry.pointee.ifa_addr) { result.insert(address) }
            // Whether or not it was configured, the kernel treats the highest address of an IPv4 network as broadcast,
            // but for links of two addresses (RFC 3021).
            if let address = unsafe bytes(of: entry.pointee.ifa_addr), address.count == 4,
                let mask = unsafe bytes(of: entry.pointee.ifa_netmask), mask.count == 4, mask[3] != 0xFE
            {
                result.insert(zip(address, mask).map { $0 | ~$1 })
            }
            unsafe next = entry.pointee.ifa_next
        }
        return result
    }

    /// A descriptor that becomes readable when an address or link changes, and is then to be drained.
    public static func changes() throws(HostError) -> Descriptor {
        let number = chost_address_monitor()
        guard number >= 0 else {
            throw HostError("cannot watch the addresses of this host", Errno(rawValue: -number))
        }
        return Descriptor(owning: FileDescriptor(rawValue: number))
    }

    private static func bytes(of address: UnsafeMutablePointer<sockaddr>?) -> Bytes? {
        guard let address = unsafe address else { return nil }
        // SAFETY: the family says which structure it is.
        switch unsafe CInt(address.pointee.sa_family) {
        case AF_INET:
            return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe withUnsafeBytes(of: $0.pointee.sin_addr) { unsafe Array($0) }
            }
        case AF_INET6:
            return unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                unsafe withUnsafeBytes(of: $0.pointee.sin6_addr) { unsafe Array($0) }
            }
        default: return nil
        }
    }
}
