// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What a debugger wants of a processor. The guest's own debug registers are part of its state.
public struct ProcessorDebug: Sendable {
    /// A range of linear addresses that is watched.
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

    /// Linear addresses before whose instruction the processor stops with `DebugStop.breakpoint`.
    public var breakpoints: Set<UInt64> = []
    /// Accesses after which the processor stops with `DebugStop.watchpoint`.
    public var watchpoints: Set<Watchpoint> = []
    /// The next run executes one instruction, takes no interrupt, and stops with `DebugStop.step`.
    public var steps = false
    /// The next run passes the breakpoint at the instruction pointer that it starts from.
    public var passesBreakpointAtStart = false

    public init() {}
}
