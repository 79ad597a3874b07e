// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Runs tasks on a few threads of ours, which exist before the process is confined:
/// `Task(executorPreference: ServiceExecutor.shared)`. Child tasks and what they await follow; an unstructured `Task`
/// within has to say so again.
///
/// A confined process needs it. The runtime's own pool grows from whatever thread wakes a task, also from one that may
/// start none; and on Linux it looks after its threads in /proc once a second, and traps where it may not
/// (docs/decisions/0007-sandbox.md). Waking a task here is a lock and a futex.
public final class ServiceExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        /// How many of `jobs`, from the front, have been taken.
        var taken = 0
        /// Threads that have nothing to do.
        var idle: [Int] = []
        var threads = 0

        mutating func takeJob() -> UnownedJob? {
            guard taken < jobs.count else { return nil }
            let job = jobs[taken]
            taken += 1
            // Half of the array is done with: moving the rest costs no more than was taken.
            if taken * 2 >= jobs.count {
                jobs.removeFirst(taken)
                taken = 0
            }
            return job
        }
    }

    /// The process's one.
    public static let shared = ServiceExecutor()

    /// As many as a task that computes for a moment leaves room beside it.
    private static let threadCount = 2

    private let state = Mutex(State())
    private let gates = (0..<ServiceExecutor.threadCount).map { _ in WaitGate() }

    private init() {}

    /// Starts the threads, which never end; without effect where they run. The first task does it too, but a confined
    /// process starts them before.
    public func start() throws(HostError) {
        while let index = state.withLock({ $0.threads < Self.threadCount ? $0.threads : nil }) {
            _ = try HostThread(name: "tasks \(index)") { self.run(index) }
            state.withLock { $0.threads += 1 }
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (hasThreads, woken) = state.withLock { state -> (Bool, Int?) in
            state.jobs.append(job)
            return (state.threads > 0, state.idle.popLast())
        }
        if let woken { gates[woken].wake() }
        // A host that has no thread to give may have one for the next task; until then they wait.
        if !hasThreads { try? start() }
    }

    private func run(_ index: Int) {
        // SAFETY: refers to this object, which lives for ever.
        let executor = unsafe asUnownedTaskExecutor()
        while true {
            let job = state.withLock { state in
                let job = state.takeJob()
                if job == nil { state.idle.append(index) }
                return job
            }
            if let job {
                // SAFETY: as above; each job was enqueued once, and is run once.
                unsafe job.runSynchronously(on: executor)
            } else {
                gates[index].wait()
            }
        }
    }
}
