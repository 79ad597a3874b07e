// SPDX-License-Identifier: Apache-2.0

import Machines

extension InProcessMachine {
    /// Runs `body` while no vCPU executes, and lets them go on unless someone else holds them.
    func whilePaused<T>(_ body: () -> T) -> T {
        guard state == .running else { return body() }
        machine.pause()
        defer { release([]) }
        return body()
    }
}
