// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What a debugger wants of a hart.
public struct HartDebug: Sendable {
    /// A range of guest-virtual addresses that is watched.
    public struct Watchpoint: Hashable, Sendable {
        public var address: UInt64
        /// Bytes, at least 1.
        public var count: UInt64
        public var kind: WatchKind
        public init(address: UInt64, count: UInt64, kind: WatchKind) {
            self.address = address
            self.count = count
            self.kind = kind
        }

        /// Whether any of the `count` bytes at `other` is watched. Either range may wrap at the end of the address space.
        func covers(_ other: UInt64, count otherCount: UInt64) -> Bool {
            other &- address < count || address &- other < otherCount
        }
    }

    /// Guest-virtual addresses before whose instruction the hart stops with `DebugStop.breakpoint`.
    public var breakpoints: Set<UInt64> = []
    /// Accesses after which the hart stops with `DebugStop.watchpoint`.
    public var watchpoints: Set<Watchpoint> = []
    /// The next run executes one instruction, takes no interrupt, and stops with `DebugStop.step`.
    public var steps = false
    /// The next run passes the breakpoint at the PC that it starts from.
    public var passesBreakpointAtStart = false

    public init() {}
}
