// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// The socket between a VM and its network child: packets in order, each with its kind in the first byte.
///
/// The child sends `ready` or `failure` first; after that frames go both ways. Nothing else is shared.
public struct PacketChannel: Sendable {
    /// What a packet carries.
    public enum Kind: UInt8, Sendable {
        /// An Ethernet frame without checksum.
        case frame = 0
        /// The child serves from now on.
        case ready = 1
        /// The child cannot serve: the reason in UTF-8. It ends.
        case failure = 2
        /// Something worth a line in the VM's log, in UTF-8.
        case notice = 3
    }

    /// The largest frame either side takes, in bytes: a 64 KiB packet with its Ethernet and virtio headers.
    public static let largestFrame = 65_550

    /// The descriptor; not owned.
    public let socket: FileDescriptor

    /// A channel over one end of `Descriptor.socketPair(.packets)`.
    public init(_ socket: FileDescriptor) { self.socket = socket }

    /// Asks for room for a few hundred frames; the kernel gives what it may.
    public func enlargeBuffers() {
        var size: CInt = 4 << 20
        for option in [SO_SNDBUF, SO_RCVBUF] {
            // SAFETY: reads the local.
            unsafe _ = setsockopt(
                socket.rawValue, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    /// Sends one packet, or none of it. Never blocks.
    public func send(_ kind: Kind, _ payload: [UInt8]) -> Transfer {
        var packet: [UInt8] = []
        packet.reserveCapacity(payload.count + 1)
        packet.append(kind.rawValue)
        packet += payload
        let number = socket.rawValue
        // SAFETY: the array's own storage, for the length of the call.
        let result = unsafe packet.withUnsafeBytes { bytes in
            retryingInterrupts {
                unsafe Glibc.send(
                    number, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
            }
        }
        return Transfer(result)
    }

    /// What `receive` found.
    public enum Reception: Equatable, Sendable {
        case packet(Kind, [UInt8])
        /// A packet that is none of ours: too large, empty or of an unknown kind.
        case nonsense
        /// Nothing now.
        case none
        /// The other side is gone.
        case ended
    }

    /// Takes the next packet into `buffer`, which has at least `largestFrame` + 2 bytes. Never blocks.
    public func receive(using buffer: inout [UInt8]) -> Reception {
        let number = socket.rawValue
        // SAFETY: the array's own storage, for the length of the call.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            retryingInterrupts { unsafe recv(number, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT)) }
        }
        switch result {
        case .success(0): return .ended
        case .success(let count) where count > Self.largestFrame + 1: return .nonsense
        case .success(let count):
            guard let kind = Kind(rawValue: buffer[0]) else { return .nonsense }
            return .packet(kind, Array(buffer[1..<count]))
        case .failure(.wouldBlock): return .none
        case .failure: return .ended
        }
    }
}
