// SPDX-License-Identifier: Apache-2.0

import CHost
import CSeccomp
import Glibc
import Synchronization
import SystemPackage

/// System calls that a test makes in the place of a confined process's threads, to see what its sandbox says of them.
///
/// It exists only where the environment of the process has `APUS_SANDBOX_PROBE`: a script of lines, each
/// `THREAD CALL ARGUMENT…`. THREAD is a thread's name, `main`, or `*` for every thread; CALL a system call's name, or a
/// number; an argument is a number or text in double quotes, whose address is passed. No client and no guest can ask
/// for it.
@safe
public struct SandboxProbe: Sendable {
    struct Call: Equatable, Sendable {
        var thread: String
        var name: String
        var arguments: [Argument]
    }

    enum Argument: Equatable, Sendable {
        case number(Int)
        case text(String)
    }

    /// The variable that holds the script.
    public static let variable = "APUS_SANDBOX_PROBE"

    let calls: [Call]
    /// The threads of this process when the probe was made, by number: afterwards it may not look any more.
    let threads: [CInt: String]

    /// Threads of ours that run, where a probe is asked for.
    private static let noted = Mutex<[CInt: String]>([:])
    // SAFETY: looks whether there is a string.
    private static let isRequested = unsafe getenv(variable) != nil

    /// What this process's environment asks for, or nil. Before the sandbox is entered.
    public static func requested() throws(HostError) -> SandboxProbe? {
        // SAFETY: the environment's own string, copied at once.
        guard let script = unsafe getenv(variable) else { return nil }
        return unsafe try SandboxProbe(String(cString: script))
    }

    /// Reads `script` and looks which threads there are.
    public init(_ script: String) throws(HostError) {
        calls = try script.split(separator: "\n").map { line throws(HostError) in try Self.parse(line) }
        let numbers = Directory.names("/proc/self/task").compactMap { CInt($0) }
        threads = Dictionary(uniqueKeysWithValues: numbers.map { ($0, Self.name(of: $0)) })
    }

    private static func name(of thread: CInt) -> String {
        guard thread != getpid() else { return "main" }
        let text = (try? TextFile.read(FilePath("/proc/self/task/\(thread)/comm"), limit: 64)) ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    /// A thread of ours begins, or ends.
    static func note(_ name: String?) {
        guard isRequested else { return }
        let number = chost_thread_number()
        noted.withLock { $0[number] = name }
    }

    /// Makes the calls one after the other: a line for each of their results, `THREAD CALL = RESULT`, told at once, for
    /// the next may end the process. After `Sandbox.enter`, with a policy that keeps probes.
    public func run(_ tell: (String) -> Void) {
        for call in calls {
            for thread in wanted(call.thread) {
                tell("\(thread.value) \(call.name) = \(Self.make(call, on: thread.key))")
            }
        }
    }

    /// The threads that are called `name`. One that was just started has not noted itself yet, and is waited for.
    private func wanted(_ name: String) -> [(key: CInt, value: String)] {
        let deadline = MonotonicTime.after(milliseconds: 2000)
        while true {
            let all = threads.merging(Self.noted.withLock(\.self)) { _, noted in noted }
            let found = all.filter { name == "*" || $0.value == name }.sorted { $0.key < $1.key }
            if !found.isEmpty || MonotonicTime.now > deadline { return found }
            usleep(1000)
        }
    }

    private static func make(_ call: Call, on thread: CInt) -> String {
        // A string that is passed is never freed: the call may keep its address.
        var arguments = call.arguments.map { argument in
            switch argument {
            case .number(let value): value
            case .text(let text): unsafe Int(bitPattern: strdup(text))  // SAFETY: handed to the kernel.
            }
        }
        arguments += [Int](repeating: 0, count: 6 - arguments.count)
        // SAFETY: a string for the call.
        let number = Int(call.name) ?? Int(unsafe seccomp_syscall_resolve_name(call.name))
        // SAFETY: six arguments, read during the call.
        let result = unsafe arguments.withUnsafeBufferPointer { unsafe chost_call_on(thread, number, $0.baseAddress) }
        return result < 0 ? "\(Errno(rawValue: CInt(-result)))" : "\(result)"
    }

    static func parse(_ line: Substring) throws(HostError) -> Call {
        let wrong = HostError(
            "'\(line)' is no line of \(variable)", remedy: "write THREAD CALL and up to six ARGUMENTS")
        var words: [Argument] = []
        var rest = line.drop { $0 == " " }
        while let first = rest.first {
            if first == "\"" {
                let text = rest.dropFirst().prefix { $0 != "\"" }
                words.append(.text(String(text)))
                rest = rest.dropFirst(text.count + 2)
            } else {
                let word = rest.prefix { $0 != " " }
                let isHexadecimal = word.hasPrefix("0x")
                if words.count < 2 {
                    words.append(.text(String(word)))
                } else if let value = isHexadecimal ? Int(word.dropFirst(2), radix: 16) : Int(word) {
                    words.append(.number(value))
                } else {
                    throw wrong
                }
                rest = rest.dropFirst(word.count)
            }
            rest = rest.drop { $0 == " " }
        }
        guard words.count >= 2, words.count <= 8, case .text(let thread) = words[0], case .text(let name) = words[1]
        else { throw wrong }
        return Call(thread: thread, name: name, arguments: Array(words[2...]))
    }
}
