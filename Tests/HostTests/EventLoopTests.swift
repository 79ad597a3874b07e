// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct EventLoopTests {
    @Test("deadlines are called in their order, equal ones in the order they were scheduled")
    func timerOrder() throws {
        let loop = try EventLoop()
        let notes = Notes<Int>()
        let start = MonotonicTime.after(milliseconds: 20)
        for (number, offset) in [(3, 9), (1, 2), (4, 9), (0, 0), (2, 5)] {
            loop.schedule(at: start + UInt64(offset) * 1_000_000) { notes.add(number) }
        }
        try loop.start()
        #expect(notes.wait(for: 5) == [0, 1, 2, 3, 4])
        loop.stop()
    }

    @Test("a deadline is not called early, and its lateness stays under a scheduling quantum or so")
    func timerPrecision() throws {
        let loop = try EventLoop()
        try loop.start()
        let notes = Notes<UInt64>()
        let deadline = MonotonicTime.after(milliseconds: 30)
        loop.schedule(at: deadline) { notes.add(MonotonicTime.now) }
        let called = try #require(notes.wait(for: 1).first)
        #expect(called >= deadline)
        #expect(called - deadline < 2_000_000_000)
        loop.stop()
    }

    @Test("a deadline that was cancelled is not called")
    func cancelledTimer() throws {
        let loop = try EventLoop()
        let notes = Notes<String>()
        let early = loop.schedule(at: MonotonicTime.now) { notes.add("cancelled") }
        #expect(loop.cancel(early))
        #expect(!loop.cancel(early))
        loop.schedule(at: MonotonicTime.now) { notes.add("kept") }
        try loop.start()
        #expect(notes.wait(for: 1) == ["kept"])
        loop.stop()
    }

    @Test("an earlier deadline scheduled while the loop sleeps for a later one is called first")
    func earlierTimerWhileAsleep() throws {
        let loop = try EventLoop()
        try loop.start()
        let notes = Notes<String>()
        let later = loop.schedule(at: MonotonicTime.after(milliseconds: 60_000)) { notes.add("later") }
        loop.barrier()
        loop.schedule(at: MonotonicTime.after(milliseconds: 5)) { notes.add("earlier") }
        #expect(notes.wait(for: 1) == ["earlier"])
        #expect(loop.cancel(later))
        loop.stop()
    }

    @Test("ten thousand posts from four threads are all called, each thread's in its order")
    func posts() throws {
        let loop = try EventLoop()
        try loop.start()
        let notes = Notes<[Int]>()
        let threads = try (0..<4).map { number in
            try HostThread(name: "poster") { for item in 0..<2500 { loop.post { notes.add([number, item]) } } }
        }
        threads.forEach { $0.join() }
        let all = notes.wait(for: 10_000)
        #expect(all.count == 10_000)
        let byThread = (0..<4).map { number in all.filter { $0[0] == number }.map { $0[1] } }
        #expect(byThread == Array(repeating: Array(0..<2500), count: 4))
        loop.stop()
    }

    @Test("bytes in a pipe call a readable watch, the writer's going is a hang-up")
    func pipe() throws {
        let loop = try EventLoop()
        try loop.start()
        let ends = try Descriptor.pipe()
        let reader = ends.first.raw
        let writer = ends.second.take()
        let notes = Notes<String>()
        let watch = try loop.watch(reader, for: .readable) { ready in
            var buffer = [UInt8](repeating: 0, count: 16)
            if ready.contains(.readable), case .bytes(let count) = reader.receive(into: &buffer) {
                notes.add(String(decoding: buffer[..<count], as: UTF8.self))
                if count > 0 { return }
            }
            notes.add("gone")
            loop.post { notes.add("done") }
        }
        _ = try writer.writeAll("hello".utf8)
        #expect(notes.wait(for: 1) == ["hello"])
        try writer.close()
        #expect(notes.wait(for: 2).contains("gone"))
        watch.cancel()
        loop.stop()
    }

    @Test("a watch at rest hears nothing, a hang-up neither, until it is interested again")
    func restingWatch() throws {
        let loop = try EventLoop()
        try loop.start()
        let pair = try Descriptor.socketPair(.stream)
        let notes = Notes<EventLoop.Readiness>()
        let watch = try loop.watch(pair.first.raw, for: []) { ready in notes.add(ready) }
        try pair.second.raw.writeAll([1])
        _ = shutdown(pair.second.number, CInt(SHUT_RDWR))
        loop.barrier()
        loop.barrier()
        #expect(notes.all.isEmpty)
        watch.setInterest(.readable)
        #expect(notes.wait(for: 1).first?.contains(.readable) == true)
        watch.cancel()
        loop.stop()
    }

    @Test("a descriptor closed and its number used again while watched does not confuse the loop")
    func closedWhileWatched() throws {
        let loop = try EventLoop()
        try loop.start()
        let notes = Notes<String>()
        let old = try Descriptor.pipe()
        let number = old.first.number
        let oldWatch = try loop.watch(old.first.raw, for: .readable) { _ in notes.add("old") }
        try old.first.raw.close()
        let new = try Descriptor.pipe()
        let reused = try FileDescriptor(rawValue: new.first.number).duplicate(as: FileDescriptor(rawValue: number))
        let newWatch = try loop.watch(reused, for: .readable) { _ in
            var buffer = [UInt8](repeating: 0, count: 8)
            _ = reused.receive(into: &buffer)
            notes.add("new")
        }
        oldWatch.cancel()
        try new.second.raw.writeAll([1])
        #expect(notes.wait(for: 1) == ["new"])
        newWatch.cancel()
        loop.stop()
    }

    @Test("a regular file, which epoll refuses, is always ready")
    func regularFile() throws {
        let loop = try EventLoop()
        try loop.start()
        let file = try Descriptor.open("/proc/self/exe", .readOnly)
        let notes = Notes<EventLoop.Readiness>()
        let watch = try loop.watch(file.raw, for: .readable) { notes.add($0) }
        #expect(notes.wait(for: 3).first == .readable)
        watch.setInterest([])
        loop.barrier()
        let quiet = notes.all.count
        loop.barrier()
        loop.barrier()
        #expect(notes.all.count == quiet)
        watch.cancel()
        loop.stop()
    }

    @Test("a callback may cancel its own watch and stop the loop")
    func stopFromCallback() throws {
        let loop = try EventLoop()
        let pair = try Descriptor.socketPair(.stream)
        let notes = Notes<Bool>()
        let box = Notes<EventLoop.Watch>()
        box.add(
            try loop.watch(pair.first.raw, for: .writable) { _ in
                box.all[0].cancel()
                loop.stop()
                notes.add(loop.isOnLoop)
            })
        loop.run()
        #expect(notes.all == [true])
    }

    @Test("a hundred loops with watches and timers leave no descriptor and no thread behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let before = (openDescriptors(), liveThreads())
            for _ in 0..<100 {
                let loop = try EventLoop()
                try loop.start()
                let pair = try Descriptor.socketPair(.packets)
                let watch = try loop.watch(pair.first.raw, for: .readable) { _ in }
                loop.schedule(at: MonotonicTime.after(milliseconds: 60_000)) {}
                loop.barrier()
                loop.stop()
                withExtendedLifetime(watch) {}
            }
            exit(settles { openDescriptors() < before.0 + 50 && liveThreads() < before.1 + 50 } ? 0 : 1)
        }
    }
}
