// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// A piece of guest memory that takes part in a request: checked to be RAM when the request was made.
public struct MemorySegment: Hashable, Sendable {
    /// Guest-physical start.
    public let address: GuestAddress
    /// Bytes.
    public let count: UInt64

    /// `count` bytes of guest RAM at `address`.
    public init(address: GuestAddress, count: UInt64) {
        self.address = address
        self.count = count
    }
}

/// What a disk is asked to do. Offsets and counts are in bytes.
public enum BlockOperation: Sendable, Equatable {
    /// Fill the segments from the disk at `offset`.
    case read(offset: UInt64, into: [MemorySegment])
    /// Write the segments to the disk at `offset`.
    case write(offset: UInt64, from: [MemorySegment])
    /// Make all completed writes durable (fdatasync).
    case flush
    /// The content of the range is no longer needed.
    case discard(offset: UInt64, count: UInt64)
    /// The range reads as zeroes from now on; `unmap` allows giving the space back.
    case writeZeroes(offset: UInt64, count: UInt64, unmap: Bool)
}

/// How a block request ended.
public enum BlockResult: Sendable, Equatable { case done, failed, unsupported }

/// One request under way: `token` is the device's own, given back on completion.
public struct BlockRequest: Sendable {
    public let token: UInt64
    public let operation: BlockOperation

    /// A request that completes under `token`.
    public init(token: UInt64, operation: BlockOperation) {
        self.token = token
        self.operation = operation
    }
}

/// The host side of a disk. It does the I/O on threads of its own, straight to and from guest memory, and answers each
/// request exactly once through the completion that the board has set, in any order.
public protocol BlockBackend: AnyObject, Sendable {
    /// The size in bytes, a multiple of 512.
    var capacity: UInt64 { get }
    /// Writes are refused.
    var isReadOnly: Bool { get }
    /// Discard and write-zeroes do something useful here.
    var supportsDiscard: Bool { get }
    /// Up to 20 bytes of ASCII that identify the disk.
    var serial: String { get }
    /// Starts `requests`; returns at once.
    func submit(_ requests: [BlockRequest])
    /// Answers with failure, now, those requests that have not begun and whose token `isUnwanted`.
    func cancel(where isUnwanted: (_ token: UInt64) -> Bool)
}

extension BlockBackend {
    /// A backend that begins all at once has nothing to cancel.
    public func cancel(where isUnwanted: (_ token: UInt64) -> Bool) {}
}
