// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// This process.
public enum HostProcess {
    /// What a program of ours does first: a write to a closed pipe is an error and not the end, and the descriptors 0, 1
    /// and 2 are open, so that no disk or socket becomes somebody's standard output.
    public static func prepare() {
        SignalSource.ignoreBrokenPipes()
        for number in 0...2 where fcntl(CInt(number), F_GETFD) < 0 {
            // The lowest free number is this one; closed again if another thread was faster.
            guard let null = try? Descriptor.open("/dev/null", .readWrite) else { continue }
            if null.number == CInt(number) { _ = fcntl(null.take().rawValue, F_SETFD, 0) }
        }
    }

    /// Its number.
    public static var number: pid_t { getpid() }

    /// The number of the one that started it, or of the one that took over when that ended.
    public static var parent: pid_t { getppid() }

    /// The user whose rights it has.
    public static var userID: UInt32 { geteuid() }

    /// When the process `number` was started, in clock ticks since the host's boot; nil where there is none. With the
    /// number it tells a process from a later one that got the same.
    public static func startTime(of number: pid_t) -> UInt64? {
        // proc(5): field 22.
        guard let fields = status(of: number), fields.count > 19 else { return nil }
        return UInt64(fields[19])
    }

    /// The process that started the process `number`, or has taken its place; nil where there is none.
    static func parent(of number: pid_t) -> pid_t? {
        // proc(5): field 4.
        guard let fields = status(of: number), fields.count > 1 else { return nil }
        return pid_t(fields[1])
    }

    /// The fields of `/proc/PID/stat` from the third on (proc(5)): the second, the program's name, is in brackets and may
    /// hold anything.
    static func status(of number: pid_t) -> [Substring]? {
        guard let text = try? TextFile.read(FilePath("/proc/\(number)/stat"), limit: 4096),
            let bracket = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: bracket)...].split(separator: " ")
    }

    /// Ends the process `number` at once (SIGKILL). The caller knows that it is the one that is meant.
    public static func kill(_ number: pid_t) { _ = Glibc.kill(number, SIGKILL) }

    /// Lets go of the code that only starting took: its pages are the file's, and one that is used again is mapped again.
    /// Without effect under a debugger, whose breakpoints lie in such pages.
    public static func releaseCode() {
        // proc(5): nobody's tracer has the number 0.
        let status = (try? TextFile.read("/proc/self/status", limit: 1 << 16)) ?? ""
        if status.contains("\nTracerPid:\t0\n") { chost_release_code() }
    }

    /// The value of an environment variable; nil where it is unset or empty.
    public static func environment(_ name: String) -> String? {
        // SAFETY: getenv's string is copied at once; nothing in this process changes the environment.
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }

    /// All environment variables, as `NAME=VALUE`.
    public static var environmentStrings: [String] {
        var strings: [String] = []
        // SAFETY: the C library's own array, ended by a null; nothing in this process changes the environment.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            strings.append(unsafe String(cString: text))
            unsafe entry += 1
        }
        return strings
    }

    /// A program that belongs to this one: the one that `variable` names, else the one beside this program, else the
    /// first on PATH.
    public static func program(named name: String, variable: String) -> FilePath? {
        if let path = environment(variable) { return FilePath(path) }
        let folders =
            [executableFolder].compactMap(\.self)
            + (environment("PATH") ?? "").split(separator: ":").map { FilePath(String($0)) }
        return folders.map { $0.appending(name) }.first {
            // SAFETY: a NUL-terminated string for the call.
            unsafe access($0.string, X_OK) == 0
        }
    }

    /// The folder of the program that runs, or nil where /proc is not mounted.
    public static var executableFolder: FilePath? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the array's own storage, for the length of the call.
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return FilePath(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            .removingLastComponent()
    }
}
