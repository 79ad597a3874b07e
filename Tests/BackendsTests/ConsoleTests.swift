// SPDX-License-Identifier: Apache-2.0

@testable import Backends
import Glibc
import Host
import MachineCore
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct FileConsoleTests {
    private let folder = TemporaryFolder()
    private let running: RunningLoop

    init() throws { running = try RunningLoop() }

    @Test("a file gets all that is sent, anew or behind what it has", arguments: [(false, "new"), (true, "oldnew")])
    func file(appending: Bool, content: String) throws {
        let path = try folder.file("log", size: 0, head: Array("old".utf8))
        let console = try FileConsole(path, appending: appending, loop: running.loop)
        #expect(console.send(Array("new".utf8)) == 3)
        #expect(console.drain(until: MonotonicTime.after(milliseconds: 5000)))
        console.close()
        #expect(try TextFile.read(path, limit: 100) == content)
    }

    @Test("a FIFO without a reader never refuses")
    func fifo() throws {
        let path = folder.path.appending("fifo")
        mkfifo(path.string, 0o600)
        let console = try FileConsole(path, loop: running.loop)
        for _ in 0..<64 { #expect(console.send([UInt8](repeating: 1, count: 64 << 10)) == 64 << 10) }
        console.close()
    }
}

@Suite(.timeLimit(.minutes(10))) struct PtyConsoleTests {
    private let running: RunningLoop

    init() throws { running = try RunningLoop() }

    @Test("what is sent is read at the path, what is typed comes in, unchanged")
    func bothWays() throws {
        let console = try PtyConsole(loop: running.loop)
        let typed = Notes<[UInt8]>()
        try console.connect { bytes in
            typed.add(bytes)
            return bytes.count
        }
        let user = try Descriptor.open(console.path, .readWrite)
        #expect(console.send(Array("login:\n".utf8)) == 7)
        #expect(readAll(7, from: user.raw) == Array("login:\n".utf8))
        try user.raw.writeAll([3, 13, 0x1B])
        #expect(typed.wait { $0.joined().count == 3 }.flatMap { $0 } == [3, 13, 0x1B])
        console.close()
    }

    @Test("a resize by the user is seen")
    func resize() throws {
        let console = try PtyConsole(loop: running.loop)
        #expect(console.size == nil)
        let user = try Descriptor.open(console.path, .readWrite)
        try #require(Terminal(user.raw)).setSize(.init(columns: 100, rows: 30))
        #expect(console.size == .init(columns: 100, rows: 30))
        console.close()
    }

    @Test("users may come and go; the guest never waits")
    func comeAndGo() throws {
        let console = try PtyConsole(loop: running.loop)
        try console.connect { $0.count }
        for _ in 0..<3 {
            let user = try Descriptor.open(console.path, .readWrite)
            #expect(console.send([0x41]) == 1)
            #expect(readAll(1, from: user.raw) == [0x41])
        }
        for _ in 0..<64 { #expect(console.send([UInt8](repeating: 1, count: 64 << 10)) == 64 << 10) }
        console.close()
    }
}

@Suite(.timeLimit(.minutes(10))) struct UnixConsoleTests {
    private let folder = TemporaryFolder()
    private let running: RunningLoop
    private var path: FilePath { folder.path.appending("console") }

    init() throws { running = try RunningLoop() }

    private func connectClient() throws -> Descriptor {
        let (number, result) = unixSocket(path, connect)
        try #require(result == 0)
        return Descriptor(owning: FileDescriptor(rawValue: number))
    }

    @Test("a client gets output and gives input, and the socket goes with the console")
    func client() throws {
        let console = try UnixConsole(path, loop: running.loop)
        let typed = Notes<[UInt8]>()
        console.connect { bytes in
            typed.add(bytes)
            return bytes.count
        }
        #expect(console.send([1]) == 1)
        let client = try connectClient()
        #expect(settles { console.hasClient })
        #expect(console.send([2, 3]) == 2)
        #expect(readAll(2, from: client.raw) == [2, 3])
        try client.raw.writeAll([9])
        #expect(typed.wait(for: 1) == [[9]])
        console.close()
        #expect(readAll(1, from: client.raw).isEmpty)
        #expect(access(path.string, F_OK) == -1)
    }

    @Test("only the user may connect")
    func mode() throws {
        let console = try UnixConsole(path, loop: running.loop)
        var status = stat()
        stat(path.string, &status)
        #expect(status.st_mode & 0o777 == 0o600)
        console.close()
    }

    @Test("a second client is told so and let go; when the first has gone the next is served")
    func oneAtATime() throws {
        let console = try UnixConsole(path, loop: running.loop)
        console.connect { $0.count }
        do {
            let first = try connectClient()
            #expect(settles { console.hasClient })
            let second = try connectClient()
            let answer = String(decoding: readAll(1000, from: second.raw), as: UTF8.self)
            #expect(answer.contains("in use by another client"))
            #expect(fcntl(first.number, F_GETFD) >= 0)
        }
        #expect(settles { !console.hasClient })
        let third = try connectClient()
        #expect(settles { console.hasClient })
        #expect(console.send([5]) == 1)
        #expect(readAll(1, from: third.raw) == [5])
        console.close()
    }

    @Test("a client that has said its last is served until the next one comes")
    func halfClosed() throws {
        let console = try UnixConsole(path, loop: running.loop)
        console.connect { $0.count }
        let first = try connectClient()
        #expect(settles { console.hasClient })
        shutdown(first.number, CInt(SHUT_WR))
        usleep(20_000)
        #expect(console.send([1]) == 1)
        #expect(readAll(1, from: first.raw) == [1])
        let second = try connectClient()
        #expect(readAll(1, from: first.raw).isEmpty)
        #expect(console.send([2]) == 1)
        #expect(readAll(1, from: second.raw) == [2])
        console.close()
    }

    @Test("a socket left behind is replaced, a live one and another file are not")
    func stale() throws {
        close(unixSocket(path, bind).0)
        let console = try UnixConsole(path, loop: running.loop)
        #expect(throws: HostError.self) { try UnixConsole(path, loop: running.loop) }
        let other = try folder.file("plain", size: 1)
        #expect(throws: HostError.self) { try UnixConsole(other, loop: running.loop) }
        console.close()
    }

    @Test("a path too long for a socket is refused with both lengths")
    func longPath() throws {
        let path = FilePath("/tmp/" + String(repeating: "x", count: 103))
        let error = #expect(throws: HostError.self) { try UnixConsole(path, loop: running.loop) }
        #expect(error?.description.contains("has 108 bytes, and 107 are the most") == true)
    }
}

@Suite struct OutputBufferTests {
    @Test("a refusing buffer takes what fits", arguments: [(0, 0), (3, 3), (4, 4), (5, 4)])
    func refuse(sent: Int, taken: Int) {
        var buffer = OutputBuffer(capacity: 4, overflow: .refuse)
        #expect(buffer.append([UInt8](repeating: 1, count: sent)) == taken)
        #expect(buffer.count == taken)
        #expect(buffer.room == 4 - taken)
    }

    @Test("a discarding buffer keeps the newest and counts the rest")
    func discard() {
        var buffer = OutputBuffer(capacity: 4, overflow: .discardOldest)
        #expect(buffer.append([1, 2, 3]) == 3)
        #expect(buffer.append([4, 5, 6]) == 3)
        #expect(Array(buffer.prefix(10)) == [3, 4, 5, 6])
        #expect(buffer.append([7, 8, 9, 10, 11, 12]) == 6)
        #expect(Array(buffer.prefix(10)) == [9, 10, 11, 12])
        #expect(buffer.discarded == 8)
    }

    @Test("what was discarded while it was being written is not removed twice")
    func positions() {
        var buffer = OutputBuffer(capacity: 4, overflow: .discardOldest)
        #expect(buffer.append([1, 2, 3, 4]) == 4)
        let start = buffer.start
        #expect(buffer.append([5, 6, 7]) == 3)
        buffer.remove(before: start + 2)
        #expect(Array(buffer.prefix(10)) == [4, 5, 6, 7])
        buffer.remove(before: start + 4)
        #expect(Array(buffer.prefix(10)) == [5, 6, 7])
        buffer.removeAll()
        buffer.remove(before: start + 7)
        #expect(buffer.isEmpty)
    }
}
