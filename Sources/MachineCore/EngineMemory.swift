// SPDX-License-Identifier: Apache-2.0

/// Memory for what an engine keeps beside a vCPU, decoded or translated code and cached translations: whoever provides
/// it can say where it lies and what it costs.
@safe
public struct EngineMemory: Sendable {
    // SAFETY: `size` bytes for as long as `owner` lives; one vCPU's engine alone touches them.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    /// In bytes.
    public let size: Int
    private let owner: any AnyObject & Sendable

    /// `size` zeroed bytes at `start`, aligned to 64, which `owner` keeps.
    public init(start: UnsafeMutableRawPointer, size: Int, owner: any AnyObject & Sendable) {
        // SAFETY: stored; the caller's promise is the rest.
        unsafe base = start
        self.size = size
        self.owner = owner
    }

    /// The first byte.
    public var start: UnsafeMutableRawPointer { unsafe base }  // SAFETY: handed on, not dereferenced.
}
