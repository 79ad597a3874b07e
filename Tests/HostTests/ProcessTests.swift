// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct ChildProcessTests {
    @Test(
        "how a program ends is told",
        arguments: [
            ("exit 0", .exited(0)), ("exit 7", .exited(7)), ("kill -9 $$", .signalled(9)),
        ] as [(String, ChildProcess.Ending)])
    func ending(script: String, ending: ChildProcess.Ending) throws {
        let child = try ChildProcess("/bin/sh", ["-c", script], descriptors: [:])
        #expect(child.wait() == ending)
        #expect(child.poll() == ending)
    }

    @Test("a program gets the descriptors of its map and no others, and no environment but what it is given")
    func descriptors() async {
        // In a process of its own: what other tests start would inherit the stray descriptor too.
        await #expect(processExitsWith: .success) {
            exit(try Self.descriptorsArrive() ? 0 : 1)
        }
    }

    private static func descriptorsArrive() throws -> Bool {
        let pipe = try Descriptor.pipe()
        let stray = try Descriptor.open("/dev/null", .readOnly)
        // A stray descriptor that somebody else left inheritable.
        _ = fcntl(stray.number, F_SETFD, 0)
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo $(ls /proc/self/fd | wc -l) $(env | grep -c KEY=) >&5"], environment: ["KEY=1"],
            descriptors: [0: stray.raw, 1: pipe.second.raw, 2: FileDescriptor(rawValue: 2), 5: pipe.second.raw])
        guard child.wait() == .exited(0) else { return false }
        var buffer = [UInt8](repeating: 0, count: 64)
        guard pipe.first.raw.receive(into: &buffer) == .bytes(4) else { return false }
        _ = consume stray
        // 0, 1 (ls's pipe), 2, 3 and 4 (null), 5, and the folder that ls reads.
        return String(decoding: buffer[..<4], as: UTF8.self) == "7 1\n"
    }

    @Test("swapped descriptors arrive as the map says")
    func swapped() throws {
        let first = try Descriptor.pipe()
        let second = try Descriptor.pipe()
        let (one, two) = (first.second.number, second.second.number)
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo one >/dev/fd/\(one); echo two >/dev/fd/\(two)"],
            descriptors: [one: second.second.raw, two: first.second.raw])
        #expect(child.wait() == .exited(0))
        var buffer = [UInt8](repeating: 0, count: 64)
        #expect(first.first.raw.receive(into: &buffer) == .bytes(4))
        #expect(String(decoding: buffer[..<4], as: UTF8.self) == "two\n")
    }

    @Test("a program that does not exist is an error with its path")
    func missing() {
        let error = #expect(throws: HostError.self) { try ChildProcess("/nowhere/program", [], descriptors: [:]) }
        #expect(error?.description == "cannot run '/nowhere/program': no such file or directory")
    }

    @Test("waiting for a program does not keep others from signalling it")
    func signalWhileWaiting() throws {
        let child = try ChildProcess("/bin/sleep", ["60"], descriptors: [:])
        let notes = Notes<ChildProcess.Ending>()
        let waiter = try HostThread(name: "waiter") { notes.add(child.wait()) }
        usleep(20_000)
        child.signal(SIGTERM)
        #expect(notes.wait(for: 1) == [.signalled(SIGTERM)])
        waiter.join()
    }
}

@Suite struct FileLockTests {
    private static func temporaryFile() throws -> FilePath {
        let path = FilePath("/tmp/apus-lock-\(getpid())-\(Randomness.bytes(8).map { String($0, radix: 16) }.joined())")
        _ = try Descriptor.open(path, .writeOnly, options: [.create, .exclusiveCreate])
        return path
    }

    @Test("an exclusive lock refuses a second user and names this process")
    func refused() throws {
        let path = try Self.temporaryFile()
        defer { unlink(path.string) }
        let first = try Descriptor.open(path, .readWrite)
        try FileLock.acquire(.exclusive, on: first.raw, path: path)
        let second = try Descriptor.open(path, .readWrite)
        let error = #expect(throws: HostError.self) { try FileLock.acquire(.exclusive, on: second.raw, path: path) }
        #expect(error?.description.contains("'\(path)' is in use by this process;") == true)
        _ = consume first
        try FileLock.acquire(.exclusive, on: second.raw, path: path)
    }

    @Test("another process that holds the lock is named with its pid and program")
    func holder() throws {
        let path = try Self.temporaryFile()
        defer { unlink(path.string) }
        let child: ChildProcess
        do {
            // An open-file-description lock goes with the descriptor into the program that inherits it.
            let first = try Descriptor.open(path, .readWrite)
            try FileLock.acquire(.exclusive, on: first.raw, path: path)
            child = try ChildProcess("/bin/sleep", ["60"], descriptors: [3: first.raw])
        }
        defer {
            child.signal(SIGKILL)
            _ = child.wait()
        }
        let second = try Descriptor.open(path, .readWrite)
        #expect(FileLock.holder(of: second.raw)?.description == "process \(child.pid) (sleep)")
        let error = #expect(throws: HostError.self) { try FileLock.acquire(.shared, on: second.raw, path: path) }
        #expect(error?.description == "'\(path)' is in use by process \(child.pid) (sleep); stop that one first")
    }

    @Test("shared locks live together and keep an exclusive one out")
    func shared() throws {
        let path = try Self.temporaryFile()
        defer { unlink(path.string) }
        let first = try Descriptor.open(path, .readOnly)
        let second = try Descriptor.open(path, .readOnly)
        try FileLock.acquire(.shared, on: first.raw, path: path)
        try FileLock.acquire(.shared, on: second.raw, path: path)
        let writer = try Descriptor.open(path, .readWrite)
        #expect(throws: HostError.self) { try FileLock.acquire(.exclusive, on: writer.raw, path: path) }
    }
}

@Suite struct SignalTests {
    @Test("a signal is an event of the loop")
    func signals() async {
        await #expect(processExitsWith: .exitCode(5)) {
            let loop = try EventLoop()
            let source = try SignalSource([.user1, .terminate], on: loop) { signal in
                exit(signal == .terminate ? 5 : 6)
            }
            // To this thread: the main thread of a test does not block it.
            raise(SIGTERM)
            loop.run()
            withExtendedLifetime(source) {}
        }
    }
}

@Suite struct RandomnessTests {
    @Test("random bytes have the length asked for and differ", arguments: [1, 256, 1 << 20])
    func length(count: Int) {
        #expect(Randomness.bytes(count).count == count)
        #expect(Randomness.bytes(32) != Randomness.bytes(32))
    }

    @Test("no bytes are no bytes")
    func none() { #expect(Randomness.bytes(0).isEmpty) }
}
