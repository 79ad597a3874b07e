// SPDX-License-Identifier: Apache-2.0

import RISCV64

extension VirtMachine {
    /// Calls `body` with hart `id` for a debugger; nil where there is no such hart, or it may be executing: the machine
    /// is neither paused nor still to be started. Nothing lets the harts go on meanwhile.
    public func withHart<T>(_ id: Int, _ body: (Hart) -> T) -> T? { nil }
}
