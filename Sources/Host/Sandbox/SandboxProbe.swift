// SPDX-License-Identifier: Apache-2.0

import CHost
import CSeccomp
import Glibc
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
    /// The threads of this process when the probe was made: their numbers and names.
    let threads: [(number: CInt, name: String)]

    /// What this process's environment asks for, or nil. Before the sandbox is entered, when all threads run.
    public static func requested() throws(HostError) -> SandboxProbe? {
        // SAFETY: the environment's own string, copied at once.
        guard let script = unsafe getenv(variable) else { return nil }
        return unsafe try SandboxProbe(String(cString: script))
    }

    /// Reads `script` and looks which threads there are.
    public init(_ script: String) throws(HostError) {
        calls = try script.split(separator: "\n").map { line throws(HostError) in try Self.parse(line) }
        // A thread names itself, as its first act: one that has just been started is waited for.
        let wanted = Set(calls.map(\.thread)).subtracting(["*"])
        let deadline = MonotonicTime.after(milliseconds: 2000)
        var found = Self.threadsNow()
        while !wanted.isSubset(of: found.map(\.name)), MonotonicTime.now < deadline {
            usleep(1000)
            found = Self.threadsNow()
        }
        threads = found
    }

    private static func threadsNow() -> [(number: CInt, name: String)] {
        Directory.names("/proc/self/task").compactMap { CInt($0) }.sorted().map { number in
            let name = (try? TextFile.read(FilePath("/proc/self/task/\(number)/comm"), limit: 64)) ?? ""
            return (number, number == getpid() ? "main" : String(name.prefix { $0 != "\n" }))
        }
    }

    /// Makes the calls one after the other: a line for each of their results, `THREAD CALL = RESULT`, told at once, for
    /// the next may end the process. After `Sandbox.enter`, with a policy that keeps probes.
    public func run(_ tell: (String) -> Void) {
        for call in calls {
            for thread in threads where call.thread == "*" || call.thread == thread.name {
                tell("\(thread.name) \(call.name) = \(Self.make(call, on: thread.number))")
            }
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
