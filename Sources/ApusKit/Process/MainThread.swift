// SPDX-License-Identifier: Apache-2.0

import Host

/// The process's first thread.
public enum MainThread {
    /// Runs `work` in a task and keeps this thread where it is until the work is done.
    ///
    /// An asynchronous `main` would end in libdispatch's `dispatch_main`, which waits with no signal blocked: signals
    /// that `ProcessSignals` takes over would end the process there. The task runs on threads of ours: this may be the
    /// process of a machine, which will be confined.
    public static func run(_ work: @escaping @Sendable () async -> Void) {
        let gate = WaitGate()
        Task(executorPreference: ServiceExecutor.shared) {
            await work()
            gate.wake()
        }
        gate.wait()
    }
}
