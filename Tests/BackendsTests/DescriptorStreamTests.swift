// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import MachineCore
import Synchronization
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(10))) struct DescriptorStreamTests {
    private let running: RunningLoop
    private var loop: EventLoop { running.loop }

    init() throws { running = try RunningLoop() }

    @Test("bytes come out of a pipe as they were sent, however they were cut")
    func order() throws {
        let pipe = try Descriptor.pipe()
        let stream = DescriptorStream(loop: loop, input: nil, output: pipe.second.raw)
        var noise = Noise(1)
        let bytes = noise.bytes(3 << 20)
        let received = Notes<[UInt8]>()
        let reader = pipe.first.raw
        let thread = try HostThread(name: "reader") { received.add(readAll(bytes.count, from: reader)) }
        for start in stride(from: 0, to: bytes.count, by: 100_001) {
            sendAll(Array(bytes[start..<min(start + 100_001, bytes.count)]), to: stream)
        }
        #expect(stream.drain(until: MonotonicTime.after(milliseconds: 20_000)))
        thread.join()
        #expect(received.all == [bytes])
        stream.close()
    }

    @Test("a pipe that nobody reads never blocks the sender: a mebibyte is taken, then nothing, then again")
    func neverReads() throws {
        let pipe = try Descriptor.pipe()
        let stream = DescriptorStream(loop: loop, input: nil, output: pipe.second.raw, bufferSize: 1 << 20)
        let room = Notes<Bool>()
        try stream.connect({ _ in 0 }, room: { room.add(true) })
        let start = MonotonicTime.now
        let chunk = [UInt8](repeating: 7, count: 64 << 10)
        var taken = (0..<64).reduce(0) { sum, _ in sum + stream.send(chunk) }
        loop.barrier()
        taken += (0..<64).reduce(0) { sum, _ in sum + stream.send(chunk) }
        #expect(MonotonicTime.now - start < 5_000_000_000)
        // The buffer, and what the pipe holds.
        #expect((1 << 20...2 << 20).contains(taken))
        #expect(stream.send([1]) == 0)
        #expect(!stream.drain(until: MonotonicTime.after(milliseconds: 10)))
        #expect(room.all.isEmpty)
        #expect(readAll(taken, from: pipe.first.raw) == [UInt8](repeating: 7, count: taken))
        #expect(room.wait(for: 1) == [true])
        #expect(stream.send([1]) == 1)
        stream.close()
    }

    @Test("an inherited descriptor keeps its mode: nobody finds it non-blocking")
    func modeStays() throws {
        let output = try Descriptor.pipe()
        let input = try Descriptor.pipe()
        let modes = { [o = output.second.number, i = input.first.number] in [fcntl(o, F_GETFL), fcntl(i, F_GETFL)] }
        let before = modes()
        let stream = DescriptorStream(loop: loop, input: input.first.raw, output: output.second.raw)
        try stream.connect { $0.count }
        _ = stream.send([UInt8](repeating: 0, count: 1 << 20))
        loop.barrier()
        #expect(modes() == before)
        stream.close()
        #expect(modes() == before)
        #expect(fcntl(input.second.number, F_GETFD) + fcntl(output.first.number, F_GETFD) == 2 * FD_CLOEXEC)
    }

    @Test("a blocking socket that nobody reads does not hold the loop up")
    func blockingSocket() throws {
        let pair = try Descriptor.socketPair(.stream)
        let stream = DescriptorStream(loop: loop, input: nil, output: pair.first.raw)
        for _ in 0..<64 { _ = stream.send([UInt8](repeating: 1, count: 64 << 10)) }
        let notes = Notes<Bool>()
        usleep(20_000)
        loop.post { notes.add(true) }
        #expect(notes.wait(for: 1) == [true])
        stream.close()
        #expect(fcntl(pair.second.number, F_GETFD) >= 0)
    }

    @Test("a reader that goes away fails the output once, and sending goes on into nothing")
    func readerGone() throws {
        HostProcess.prepare()
        var pipe = try Descriptor.pipe()
        let events = Notes<DescriptorStream.Event>()
        let stream = DescriptorStream(loop: loop, input: nil, output: pipe.second.raw) { events.add($0) }
        pipe.first = try Descriptor.open("/dev/null", .readOnly)
        #expect(stream.send([1, 2, 3]) == 3)
        #expect(events.wait(for: 1) == [.outputFailed(.brokenPipe)])
        #expect(stream.send([UInt8](repeating: 0, count: 4 << 20)) == 4 << 20)
        #expect(stream.drain())
        stream.close()
        #expect(events.all.count == 1)
    }

    @Test("a full device loses bytes, tells it once, and does not stop the stream")
    func fullDevice() throws {
        let events = Notes<DescriptorStream.Event>()
        let full = try Descriptor.open("/dev/full", .writeOnly)
        let stream = DescriptorStream(loop: loop, input: nil, output: full.raw) { events.add($0) }
        #expect(stream.send([1]) == 1)
        #expect(stream.drain(until: MonotonicTime.after(milliseconds: 5000)))
        #expect(stream.send([2]) == 1)
        #expect(stream.drain(until: MonotonicTime.after(milliseconds: 5000)))
        #expect(stream.send([3]) == 1)
        stream.close()
        #expect(events.all == [.outOfSpace])
    }

    @Test(
        "input goes as fast as the guest takes it, none is lost, and its end is told", arguments: [1, 3, 16, 4096])
    func flowControl(step: Int) throws {
        var pipe = try Descriptor.pipe()
        let events = Notes<DescriptorStream.Event>()
        let stream = DescriptorStream(loop: loop, input: pipe.first.raw, output: nil) { events.add($0) }
        let guest = Mutex<(taken: [UInt8], room: Int)>(([], step))
        try stream.connect { bytes in
            guest.withLock { guest in
                let count = min(bytes.count, guest.room)
                guest.taken += bytes[..<count]
                guest.room -= count
                return count
            }
        }
        var noise = Noise(5)
        let bytes = noise.bytes(2000)
        try pipe.second.raw.writeAll(bytes)
        // The writer goes while most is still held back.
        pipe.second = try Descriptor.open("/dev/null", .readOnly)
        while guest.withLock({ $0.taken.count }) < bytes.count {
            loop.barrier()
            guest.withLock { $0.room = step }
            stream.resume()
        }
        #expect(guest.withLock { $0.taken } == bytes)
        stream.resume()
        #expect(events.wait(for: 1) == [.inputEnded])
        stream.close()
        #expect(events.all.count == 1)
    }

    @Test("going on with what was held back does not wait in the loop for more from a pipe that blocks")
    func blockingPipe() throws {
        let pipe = try Descriptor.pipe()
        // Whoever starts the program shares its stdin: it is never switched to O_NONBLOCK.
        _ = fcntl(pipe.first.raw.rawValue, F_SETFL, 0)
        let taken = Notes<[UInt8]>()
        let stream = DescriptorStream(loop: loop, input: pipe.first.raw, output: nil)
        // The first call takes half, the second nothing, the third the rest.
        try stream.connect { bytes in
            let count = [2, 0, bytes.count][min(taken.all.count, 2)]
            taken.add(Array(bytes[..<count]))
            return count
        }
        try pipe.second.raw.writeAll([1, 2, 3, 4])
        #expect(taken.wait(for: 2) == [[1, 2], []])
        stream.resume()
        #expect(taken.wait(for: 3) == [[1, 2], [], [3, 4]])
        let gate = WaitGate()
        loop.post { gate.wake() }
        #expect(gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 5000)))
        // Whatever holds the loop ends with the pipe.
        try pipe.second.raw.writeAll([5])
        stream.close()
    }

    @Test("a guest that takes nothing does not make the loop spin, even when the writer is gone")
    func noSpin() throws {
        var pipe = try Descriptor.pipe()
        let calls = Notes<Int>()
        let stream = DescriptorStream(loop: loop, input: pipe.first.raw, output: nil)
        try stream.connect { bytes in
            calls.add(bytes.count)
            return 0
        }
        try pipe.second.raw.writeAll([1, 2, 3])
        pipe.second = try Descriptor.open("/dev/null", .readOnly)
        #expect(calls.wait(for: 1) == [3])
        usleep(50_000)
        #expect(calls.all == [3])
        stream.close()
    }

    @Test("a regular file is read to its end", arguments: [0, 1, 100_000])
    func fileInput(size: Int) throws {
        let folder = TemporaryFolder()
        var noise = Noise(9)
        let bytes = noise.bytes(size)
        let file = try Descriptor.open(try folder.file(size: 0, head: bytes), .readOnly)
        let (taken, events) = (Notes<[UInt8]>(), Notes<DescriptorStream.Event>())
        let stream = DescriptorStream(loop: loop, input: file.raw, output: nil) { events.add($0) }
        try stream.connect { bytes in
            taken.add(bytes)
            return bytes.count
        }
        #expect(events.wait(for: 1) == [.inputEnded])
        #expect(taken.all.flatMap { $0 } == bytes)
        stream.close()
        #expect(fcntl(file.number, F_GETFD) >= 0)
    }

    @Test("streams leave no descriptor behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            try loop.start()
            let before = openDescriptors()
            for _ in 0..<100 {
                let pipe = try Descriptor.pipe()
                let stream = DescriptorStream(loop: loop, input: pipe.first.raw, output: pipe.second.raw)
                try stream.connect { _ in 0 }
                for _ in 0..<20 { _ = stream.send([UInt8](repeating: 1, count: 64 << 10)) }
                loop.barrier()
                stream.close()
            }
            exit(settles { openDescriptors() < before + 50 } ? 0 : 1)
        }
    }
}
