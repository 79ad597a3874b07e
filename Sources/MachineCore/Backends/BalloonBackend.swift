// SPDX-License-Identifier: Apache-2.0

/// What a balloon device asks for. Segments are whole pages, all in RAM, by rising address; none touch each other.
public enum BalloonOperation: Sendable, Equatable {
    /// The guest has given the pages away and leaves them alone until it has deflated them: their memory is the host's.
    case inflate([MemorySegment])
    /// The guest has taken the pages back; it may use them already.
    case deflate([MemorySegment])
    /// The guest does not need what is in the pages, and waits for the answer before it uses them again.
    case discard([MemorySegment])
    /// The driver has reset the device: no page is in the balloon any more.
    case forget
}

/// One request under way: `token` is the device's own, given back on completion.
public struct BalloonRequest: Sendable, Equatable {
    public let token: UInt64
    public let operation: BalloonOperation

    /// A request that completes under `token`.
    public init(token: UInt64, operation: BalloonOperation) {
        self.token = token
        self.operation = operation
    }
}

/// The host side of a balloon: gives pages of the guest's back to the host, where they read as zero when they are next
/// touched. It works on a thread of its own and answers each request exactly once, in order, through the completion
/// that the board has set. It changes no page after its answer.
public protocol BalloonBackend: AnyObject, Sendable {
    /// Starts `request`; returns at once.
    func submit(_ request: BalloonRequest)
}
