// SPDX-License-Identifier: Apache-2.0

import Host
import Testing

@Suite struct ServiceExecutorTests {
    @Test("tasks, their children and what they await run on its threads")
    func threads() async {
        let task = Task(executorPreference: ServiceExecutor.shared) {
            async let child = threadName()
            return await [threadName(), child]
        }
        #expect(await task.value.allSatisfy { $0.hasPrefix("tasks ") })
    }

    @Test("many tasks that wake one another all end", .timeLimit(.minutes(10)))
    func many() async {
        let sum = await Task(executorPreference: ServiceExecutor.shared) {
            await withTaskGroup(of: Int.self, returning: Int.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        await Task.yield()
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
        }.value
        #expect(sum == 499_500)
    }
}

@concurrent private func threadName() async -> String {
    ((try? TextFile.read("/proc/thread-self/comm", limit: 64)) ?? "").filter { $0 != "\n" }
}
