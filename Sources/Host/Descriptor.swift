// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// An open file descriptor with one owner: closed when the owner lets go of it, and never inherited by a program that
/// this process starts unless `ChildProcess` hands it on.
public struct Descriptor: ~Copyable, Sendable {
    /// The descriptor, for calls that borrow it.
    public let raw: FileDescriptor

    /// Takes over `raw`, which nobody else closes.
    public init(owning raw: FileDescriptor) { self.raw = raw }

    deinit { try? raw.close() }

    /// The number, for C calls.
    public var number: CInt { raw.rawValue }

    /// Gives up the ownership: the caller closes it.
    public consuming func take() -> FileDescriptor {
        let raw = raw
        discard self
        return raw
    }

    /// A second descriptor of the same open file.
    public static func duplicating(_ number: CInt) throws(HostError) -> Descriptor {
        switch retryingInterrupts({ fcntl(number, F_DUPFD_CLOEXEC, 3) }) {
        case .success(let copy): return Descriptor(owning: FileDescriptor(rawValue: copy))
        case .failure(let error): throw HostError("cannot duplicate file descriptor \(number)", error)
        }
    }

    /// Opens `path`; close-on-exec always. A file that is made has `mode`.
    public static func open(
        _ path: FilePath, _ access: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = [],
        mode: FilePermissions = [.ownerReadWrite]
    ) throws(HostError) -> Descriptor {
        do {
            return Descriptor(
                owning: try FileDescriptor.open(
                    path, access, options: options.union(.closeOnExec), permissions: mode))
        } catch {
            throw HostError("cannot open '\(path)'", error as? Errno)
        }
    }

    /// Two connected unix sockets of `kind`: what goes in at one end comes out at the other.
    public static func socketPair(_ kind: SocketKind) throws(HostError) -> DescriptorPair {
        var ends: (CInt, CInt) = (-1, -1)
        let type = CInt(kind == .packets ? SOCK_SEQPACKET.rawValue : SOCK_STREAM.rawValue)
        let flags = CInt(SOCK_CLOEXEC.rawValue)
        let result = retryingInterrupts {
            // SAFETY: a tuple of two descriptors has the layout of the `int[2]` that socketpair(2) fills.
            unsafe withUnsafeMutablePointer(to: &ends) { pair in
                unsafe pair.withMemoryRebound(to: CInt.self, capacity: 2) {
                    unsafe socketpair(AF_UNIX, type | flags, 0, $0)
                }
            }
        }
        if case .failure(let error) = result { throw HostError("cannot make a socket pair", error) }
        return DescriptorPair(ends)
    }

    /// A pipe: what is written to `second` is read from `first`.
    public static func pipe() throws(HostError) -> DescriptorPair {
        var ends: (CInt, CInt) = (-1, -1)
        // SAFETY: as in `socketPair`.
        let result = unsafe withUnsafeMutablePointer(to: &ends) { pair in
            unsafe pair.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe chost_pipe($0) }
        }
        guard result == 0 else { throw HostError("cannot make a pipe", Errno(rawValue: -result)) }
        return DescriptorPair(ends)
    }

    /// How a socket pair keeps what is sent.
    public enum SocketKind: Sendable {
        /// A stream of bytes.
        case stream
        /// Packets in order, each received whole.
        case packets
    }
}

/// Two descriptors that belong together.
@frozen
public struct DescriptorPair: ~Copyable, Sendable {
    public var first: Descriptor
    public var second: Descriptor

    init(_ ends: (CInt, CInt)) {
        first = Descriptor(owning: FileDescriptor(rawValue: ends.0))
        second = Descriptor(owning: FileDescriptor(rawValue: ends.1))
    }
}

/// How far a read or write on a descriptor that may block came.
public enum Transfer: Equatable, Sendable {
    /// This many bytes went; 0 from a read is the end of the stream.
    case bytes(Int)
    /// Nothing now: wait until the descriptor is ready.
    case wouldBlock
    /// The other side is gone, or the device failed.
    case failed(Errno)
}

extension FileDescriptor {
    /// Reads what is there, up to the size of `buffer`.
    public func receive(into buffer: inout [UInt8]) -> Transfer {
        let number = rawValue
        // SAFETY: the array's own storage, for the length of the call.
        return Transfer(
            unsafe buffer.withUnsafeMutableBytes { bytes in
                retryingInterrupts { unsafe Glibc.read(number, bytes.baseAddress, bytes.count) }
            })
    }

    /// Writes what fits of `bytes`.
    public func transmit(_ bytes: ArraySlice<UInt8>) -> Transfer {
        let number = rawValue
        // SAFETY: the array's own storage, for the length of the call.
        return Transfer(
            unsafe bytes.withUnsafeBytes { bytes in
                retryingInterrupts { unsafe Glibc.write(number, bytes.baseAddress, bytes.count) }
            })
    }

    /// Whether reads and writes answer at once. It is a property of the open file, shared with every process that has
    /// it: never set it on a descriptor that was inherited.
    public func setNonBlocking(_ on: Bool) throws(HostError) {
        let flags = fcntl(rawValue, F_GETFL)
        guard flags >= 0, fcntl(rawValue, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0 else {
            throw HostError("cannot change the mode of file descriptor \(rawValue)", .current)
        }
    }
}

extension Transfer {
    init(_ result: Result<Int, Errno>) {
        switch result {
        case .success(let count): self = .bytes(count)
        case .failure(.wouldBlock): self = .wouldBlock
        case .failure(let error): self = .failed(error)
        }
    }
}
