// SPDX-License-Identifier: Apache-2.0

/// Counts the requests that a backend works on, so that a reset does not end while one still writes guest memory.
///
/// A token carries the reset it belongs to: an answer to an earlier one is counted off and goes nowhere.
struct RequestLedger {
    /// Counts resets; the upper half of every token.
    private(set) var generation: UInt32 = 0
    /// Requests of this generation with the backend.
    private(set) var current = 0
    /// Requests of earlier generations with the backend.
    private(set) var draining = 0

    /// The token for `slot`, one request more.
    mutating func begin(slot: Int) -> UInt64 {
        current += 1
        return UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: slot))
    }

    /// Whether `token` is from before the reset that began `generation`, of less than 2^31 that count.
    static func isStale(_ token: UInt64, in generation: UInt32) -> Bool {
        Int32(bitPattern: generation &- UInt32(truncatingIfNeeded: token >> 32)) > 0
    }

    /// How `end` finds a token.
    enum Ended: Equatable {
        /// A request of now, by slot.
        case current(slot: Int)
        /// One from before a reset.
        case stale
        /// None that is under way.
        case unknown
    }

    /// One request less.
    mutating func end(_ token: UInt64) -> Ended {
        if UInt32(truncatingIfNeeded: token >> 32) == generation {
            guard current > 0 else { return .unknown }
            current -= 1
            return .current(slot: Int(UInt32(truncatingIfNeeded: token)))
        }
        guard draining > 0 else { return .unknown }
        draining -= 1
        return .stale
    }

    /// The driver reset the device: all that is under way is of the past.
    mutating func reset() {
        draining += current
        current = 0
        generation &+= 1
    }
}
