// SPDX-License-Identifier: Apache-2.0

import Glibc
import SandboxSupport
import Synchronization
import SystemPackage
import Testing

@testable import Host

/// A process with a thread of each role, and the Swift runtime's own, that enters its sandbox.
enum ConfinedProcess {
    static let roles = ["vcpu0", "disk 0", "io"]

    /// Enters; then makes `script`'s calls and answers their results.
    static func run(_ script: String, mode: SandboxPolicy.Mode = .on) throws -> [String] {
        try startThreads()
        let probe = try SandboxProbe(script)
        var policy = SandboxPolicy.machine(mode)
        policy.keepsProbes = true
        _ = try Sandbox.enter(policy)
        let results = Mutex<[String]>([])
        probe.run { line in results.withLock { $0.append(line) } }
        return results.withLock(\.self)
    }

    /// Threads that sleep until the process ends.
    static func startThreads() throws {
        let running = Notes<String>()
        for (name, role) in zip(roles, [ThreadRole.vcpu, .disk, .service]) {
            _ = try HostThread(name: name, role: role) {
                running.add(name)
                while true { WaitGate().wait() }
            }
        }
        precondition(running.wait(for: roles.count).count == roles.count, "the threads run")
    }
}

/// Shown where a test fails: its process's standard error.
private func say(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }

private let refusedActs = ForbiddenAct.filesAndSockets + ForbiddenAct.internet + ForbiddenAct.limited

@Suite(.timeLimit(.minutes(10))) struct SandboxActTests {
    @Test("what is forbidden is refused on every thread", arguments: refusedActs)
    func refused(act: ForbiddenAct) async {
        await #expect(processExitsWith: .success) { [act] in
            let lines = try ConfinedProcess.run("* " + act.call)
            let isRefused = lines.count >= 4 && lines.allSatisfy(act.isRefused)
            if !isRefused { say(lines.joined(separator: "\n") + "\n") }
            _exit(isRefused ? 0 : 1)
        }
    }

    @Test("what only an intruder tries ends the process", arguments: ForbiddenAct.fatal, ConfinedProcess.roles)
    func fatal(act: ForbiddenAct, thread: String) async {
        await #expect(processExitsWith: .signal(SIGSYS)) { [act, thread] in
            let lines = try ConfinedProcess.run("\"\(thread)\" \(act.call)")
            say(lines.joined(separator: "\n") + "\n")
            _exit(1)
        }
    }

    @Test("input for a terminal is refused, or ends the process", arguments: ConfinedProcess.roles)
    func terminalInput(thread: String) async throws {
        let result = await #expect(processExitsWith: .failure) { [thread] in
            let lines = try ConfinedProcess.run("\"\(thread)\" ioctl 0 0x5412 \"x\"")
            _exit(lines == ["\(thread) ioctl = Function not implemented"] ? 3 : 0)
        }
        #expect(result?.exitStatus == (thread == "io" ? .signal(SIGSYS) : .exitCode(3)))
    }

    /// A vCPU that woke a task, for which the runtime then wants a thread, would else wait for it without end.
    @Test("a thread that may start none ends the process when it does", arguments: ["vcpu0", "disk 0"])
    func threads(thread: String) async {
        await #expect(processExitsWith: .signal(SIGSYS)) { [thread] in
            _ = try ConfinedProcess.run("\"\(thread)\" clone 0x3d0f00 0 0 0 0")
            _exit(1)
        }
    }

    @Test("in strict mode what is on no list ends the process")
    func strict() async {
        await #expect(processExitsWith: .signal(SIGSYS)) {
            _ = try ConfinedProcess.run("vcpu0 pidfd_open 1 0", mode: .strict)
            _exit(1)
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct SandboxThreadTests {
    @Test("every thread has no new privileges, a filter, no capability and another user")
    func status() async {
        await #expect(processExitsWith: .success) {
            let wasRoot = geteuid() == 0
            try ConfinedProcess.startThreads()
            // The runtime's pool is there too.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try? await Task.sleep(for: .milliseconds(20)) } }
                await group.waitForAll()
            }
            let files = try Directory.names("/proc/self/task").map { number in
                try Descriptor.open(FilePath("/proc/self/task/\(number)/status"), .readOnly).take()
            }
            let state = try Sandbox.enter(.machine())
            guard state.isWhole, files.count >= 5 else { _exit(2) }
            for file in files {
                var buffer = [UInt8](repeating: 0, count: 16 << 10)
                // A thread that has ended has no status.
                guard case .bytes(let count) = file.receive(into: &buffer) else { continue }
                let status = ThreadStatus(String(decoding: buffer[..<count], as: UTF8.self))
                guard
                    status.isConfined(
                        user: state.account.user, group: state.account.group, wasRoot: wasRoot)
                else {
                    say("\(status)\n")
                    _exit(3)
                }
            }
            _exit(0)
        }
    }

    @Test("threads that start later are confined, each for its role", arguments: ThreadRole.allCases)
    func later(role: ThreadRole) async {
        await #expect(processExitsWith: .success) { [raw = role.rawValue as UInt32] in
            _ = try Sandbox.enter(.machine())
            let results = Notes<[CInt]>()
            let role = ThreadRole(rawValue: raw) ?? .service
            let thread = try HostThread(name: "late", role: role) {
                results.add([open("/etc/passwd", O_RDONLY), errno, dup(0) < 0 ? errno : 0])
            }
            thread.join()
            _exit(results.all == [[-1, EACCES, role == .service ? 0 : ENOSYS]] ? 0 : 1)
        }
    }

    @Test("threads that come and go while the sandbox is entered are confined")
    func churn() async {
        await #expect(processExitsWith: .success) {
            let opened = Atomic<Int>(0)
            let isEntered = Atomic<Bool>(false)
            for _ in 0..<4 {
                _ = try HostThread(name: "parent") {
                    for _ in 0..<2000 {
                        guard
                            let child = try? HostThread(
                                name: "child",
                                body: {
                                    // Asked before, so that a file opened in between is no mistake.
                                    let mayOpen = !isEntered.load(ordering: .sequentiallyConsistent)
                                    if open("/dev/null", O_RDONLY) >= 0, !mayOpen { opened.add(1, ordering: .relaxed) }
                                })
                        else { return }
                        child.join()
                    }
                }
            }
            usleep(10_000)
            _ = try Sandbox.enter(.machine())
            isEntered.store(true, ordering: .sequentiallyConsistent)
            usleep(200_000)
            _exit(opened.load(ordering: .relaxed) == 0 ? 0 : 1)
        }
    }

    @Test("work goes on: tasks, threads, timers and memory")
    func works() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let loop = try EventLoop()
            try loop.start()
            _ = try Sandbox.enter(.machine(.strict))
            let tasks = Task(executorPreference: ServiceExecutor.shared) {
                await withTaskGroup(of: Int.self, returning: Int.self) { group in
                    for _ in 0..<64 {
                        group.addTask {
                            await Task.yield()
                            return [Int](repeating: 1, count: 100_000).reduce(0, +)
                        }
                    }
                    return await group.reduce(0, +)
                }
            }
            let sum = await tasks.value
            let gate = WaitGate()
            loop.schedule(at: MonotonicTime.after(milliseconds: 5)) { gate.wake() }
            gate.wait()
            loop.stop()
            let ram = try GuestRAM(size: 64 << 20)
            try ram.release(0..<(1 << 20))
            let thread = try HostThread(name: "late", role: .vcpu) { HostThread.yield() }
            thread.join()
            _exit(sum == 6_400_000 ? 7 : 1)
        }
    }

    @Test("a vCPU may wake a task")
    func wakes() async {
        await #expect(processExitsWith: .exitCode(9)) {
            _ = try Sandbox.enter(.machine(.strict))
            let (numbers, continuation) = AsyncStream.makeStream(of: CInt.self)
            Task(executorPreference: ServiceExecutor.shared) {
                for await number in numbers { _exit(number) }
            }
            _ = try HostThread(name: "vcpu0", role: .vcpu) {
                continuation.yield(9)
                while true { WaitGate().wait() }
            }
            while true { sleep(1) }
        }
    }

    @Test("abort still ends the process by its signal")
    func abortSignal() async {
        await #expect(processExitsWith: .signal(SIGABRT)) {
            _ = try Sandbox.enter(.machine(.strict))
            abort()
        }
    }
}
