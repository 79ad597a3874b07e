// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage
import Synchronization

/// A program that this process started with exactly the descriptors it was given.
public final class ChildProcess: Sendable {
    /// How a program ended.
    public enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        public var description: String {
            switch self {
            case .exited(let status): "exited with status \(status)"
            case .signalled(let number): "was ended by signal \(number)"
            }
        }
    }

    private enum State { case running, ended(Ending) }
    private let state: Mutex<State>
    /// The process's number; another's once `wait` has answered.
    public let pid: pid_t

    /// Starts `program` with `arguments` (the program's own name is put before them). Its descriptor n is a copy of
    /// `descriptors[n]`; every other one is closed. Signals are at their defaults and unblocked. `environment` is all
    /// of its environment. In a session of its own it has no terminal, and no signal of one reaches it.
    public init(
        _ program: FilePath, _ arguments: [String], environment: [String] = [], descriptors: [CInt: FileDescriptor],
        inOwnSession isLeader: Bool = false
    ) throws(HostError) {
        var held: [CInt: CInt] = [:]
        defer { for copy in held.values { close(copy) } }
        let count = (descriptors.keys.max() ?? -1) + 1
        for (target, source) in descriptors {
            // Above all targets, so that no target overwrites a source that is still needed.
            let copy = fcntl(source.rawValue, F_DUPFD_CLOEXEC, count + 1)
            guard copy >= 0 else { throw HostError("cannot duplicate file descriptor \(source.rawValue)", .current) }
            held[target] = copy
        }
        let (error, pid) = spawnProgram(program, arguments, environment, held, count, isLeader)
        guard error == 0 else { throw HostError("cannot run '\(program)'", Errno(rawValue: error)) }
        self.pid = pid
        state = Mutex(.running)
    }

    /// Sends signal `number`; nothing once it has ended and been waited for.
    public func signal(_ number: CInt) {
        state.withLock { state in
            if case .running = state { kill(pid, number) }
        }
    }

    /// How the program ended, or nil while it runs. Reaps it.
    public func poll() -> Ending? { reap(WNOHANG) }

    /// Waits until the program has ended. Blocks.
    public func wait() -> Ending {
        // The lock is not held while waiting, so that `signal` works: wait without reaping first.
        // SAFETY: fills the local.
        var info = unsafe siginfo_t()
        while state.withLock({ if case .running = $0 { true } else { false } }) {
            let result = unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT)
            if result == 0 || Errno.current != .interrupted { break }
        }
        return reap(0) ?? .exited(-1)
    }

    private func reap(_ options: CInt) -> Ending? {
        state.withLock { state in
            if case .ended(let ending) = state { return ending }
            var status: CInt = 0
            // SAFETY: fills the local.
            let result = retryingInterrupts { unsafe waitpid(pid, &status, options) }
            guard case .success(let found) = result else {
                // Somebody else reaped it: how it ended is lost.
                state = .ended(.exited(-1))
                return .exited(-1)
            }
            guard found == pid else { return nil }
            // wait(2): the low 7 bits are the signal, the next byte the status.
            let ending: Ending = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
            state = .ended(ending)
            return ending
        }
    }
}

/// posix_spawn(3) with descriptor n made of `held[n]`, `count` and up closed: an errno, or 0 and the process.
private func spawnProgram(
    _ program: FilePath, _ arguments: [String], _ environment: [String], _ held: [CInt: CInt], _ count: CInt,
    _ isLeader: Bool
) -> (CInt, pid_t) {
    // SAFETY: actions and attributes live from init to destroy; the strings are freed after the call that copies them.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    for target in 0..<count {
        if let source = held[target] {
            unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
        }
    }
    unsafe chost_spawn_close_from(&actions, count)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var none = SignalMask.makeSet([])
    var all = SignalMask.makeSet(Array(1..<32))
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let session = isLeader ? chost_spawn_session() : 0
    unsafe posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | session)

    let list = unsafe ([program.string] + arguments).map { unsafe strdup($0) } + [nil]
    let variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (list + variables).forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let error = unsafe posix_spawn(&pid, program.string, &actions, &attributes, list, variables)
    return (error, pid)
}
