// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc

/// The host's clocks in nanoseconds.
public enum MonotonicTime {
    /// CLOCK_MONOTONIC: never goes back, not set by anyone; the base of all deadlines here.
    public static var now: UInt64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01T00:00:00Z, as the host believes them.
    public static var sinceEpoch: UInt64 { read(CLOCK_REALTIME) }

    /// The time `milliseconds` from now.
    public static func after(milliseconds: UInt64) -> UInt64 { now + milliseconds * 1_000_000 }

    /// CPU time that all threads of this process have used, in nanoseconds.
    public static var processCPU: UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // SAFETY: fills the local; it cannot fail for these clocks.
        unsafe _ = clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
