// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc

/// The signals that the calling thread blocks, to be put back.
@safe
struct SignalMask {
    private var previous: sigset_t

    /// Blocks every signal on this thread but those that faults raise, and the sandbox's; `restore` puts the mask back.
    static func blockAll() -> SignalMask {
        var all = sigset_t()
        // SAFETY: local sets for the length of the calls.
        unsafe sigfillset(&all)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { unsafe sigdelset(&all, fault) }
        return change(SIG_BLOCK, &all)
    }

    /// Blocks `signals` on this thread.
    static func block(_ signals: [CInt]) -> SignalMask {
        var set = makeSet(signals)
        return change(SIG_BLOCK, &set)
    }

    func restore() {
        var mask = previous
        // SAFETY: a local set for the length of the call.
        unsafe _ = pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    static func makeSet(_ signals: [CInt]) -> sigset_t {
        var set = sigset_t()
        // SAFETY: a local set for the length of the calls.
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }

    private static func change(_ how: CInt, _ set: inout sigset_t) -> SignalMask {
        var previous = sigset_t()
        // SAFETY: local sets for the length of the call.
        unsafe _ = pthread_sigmask(how, &set, &previous)
        return SignalMask(previous: previous)
    }
}
