// SPDX-License-Identifier: Apache-2.0

import Glibc

extension HostThread {
    /// Lets other threads of the host run before the calling one goes on.
    public static func yield() { sched_yield() }
}
