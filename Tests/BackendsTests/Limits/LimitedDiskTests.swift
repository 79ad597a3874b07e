// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import Synchronization
import Testing
import VMMemory

/// A disk that notes what it is given and answers nothing.
private final class NotingDisk: BlockBackend {
    private let requests = Mutex<[BlockRequest]>([])

    var capacity: UInt64 { 1 << 30 }
    var isReadOnly: Bool { false }
    var supportsDiscard: Bool { true }
    var serial: String { "" }
    var tokens: [UInt64] { requests.withLock { $0.map(\.token) } }
    func submit(_ more: [BlockRequest]) { requests.withLock { $0 += more } }
}

@Suite(.timeLimit(.minutes(10))) struct LimitedDiskTests {
    private let hand = HandTimer()
    private let base = NotingDisk()
    private let answers = Notes<UInt64>()

    private func disk(_ limits: RateLimits) -> LimitedDisk {
        LimitedDisk(base, limits: limits, timer: hand.timer) { [answers] token, _ in answers.add(token) }
    }

    /// Reads of 4096 bytes with these tokens.
    private func reads(_ tokens: Range<UInt64>) -> [BlockRequest] {
        tokens.map { token in
            let segment = MemorySegment(address: GuestAddress(0x8000_0000), count: 4096)
            return BlockRequest(token: token, operation: .read(offset: token * 4096, into: [segment]))
        }
    }

    private static let tenASecond = RateLimits(operations: .init(perSecond: 10, burst: 2))

    @Test("without limits all goes at once, and nothing is counted")
    func unlimited() {
        let disk = disk(RateLimits())
        disk.submit(reads(0..<100))
        #expect(base.tokens == Array(0..<100))
        #expect(disk.counts == LimitCounts())
        #expect(hand.pending == 0)
    }

    @Test("what comes too early goes later, in its order, and each once")
    func order() {
        let disk = disk(Self.tenASecond)
        disk.submit(reads(0..<5))
        disk.submit(reads(5..<8))
        #expect(base.tokens == [0, 1])
        hand.advance(250 * .millisecond)
        #expect(base.tokens == [0, 1, 2, 3])
        hand.advance(10 * .second)
        #expect(base.tokens == Array(0..<8))
        #expect(hand.pending == 0)
        #expect(disk.counts.delayed == 6)
        // 0.1 s, 0.2 s … 0.6 s.
        #expect(disk.counts.delayNanoseconds == 2_100 * .millisecond)
    }

    @Test("both limits hold together; a flush and a discard are requests without bytes")
    func together() {
        let disk = disk(
            RateLimits(bytes: .init(perSecond: 40_960, burst: 4096), operations: .init(perSecond: 100, burst: 4)))
        disk.submit(reads(0..<2))
        disk.submit([
            BlockRequest(token: 2, operation: .flush),
            BlockRequest(token: 3, operation: .discard(offset: 0, count: 1 << 20)),
        ])
        #expect(base.tokens == [0])
        hand.advance(99 * .millisecond)
        #expect(base.tokens == [0])
        hand.advance(.millisecond)
        #expect(base.tokens == [0, 1, 2, 3])
    }

    @Test("a paused machine's requests stand, whatever the time, and go on with it")
    func suspension() {
        let disk = disk(Self.tenASecond)
        disk.submit(reads(0..<4))
        disk.suspend()
        hand.advance(10 * .second)
        disk.submit(reads(4..<5))
        #expect(base.tokens == [0, 1])
        disk.proceed()
        #expect(base.tokens == [0, 1, 2, 3])
        hand.advance(.second)
        #expect(base.tokens == [0, 1, 2, 3, 4])
    }

    @Test("an unlimited disk stands while paused, too")
    func unlimitedSuspension() {
        let disk = disk(RateLimits())
        disk.suspend()
        disk.submit(reads(0..<2))
        #expect(base.tokens == [])
        disk.proceed()
        #expect(base.tokens == [0, 1])
    }

    @Test("those that a reset gives up fail, once, and the others go on")
    func cancel() {
        let disk = disk(Self.tenASecond)
        disk.submit(reads(0..<6))
        disk.cancel { $0 % 2 == 1 }
        #expect(answers.all == [3, 5])
        hand.advance(10 * .second)
        #expect(base.tokens == [0, 1, 2, 4])
    }

    @Test(
        "new limits hold for those that wait, without what was saved or owed",
        arguments: [(20, 10), (1, 3)] as [(UInt64, Int)])
    func change(perSecond: UInt64, count: Int) {
        let disk = disk(Self.tenASecond)
        disk.submit(reads(0..<10))
        disk.setLimits(RateLimits(operations: .init(perSecond: perSecond, burst: 1)))
        hand.advance(2 * .millisecond)
        #expect(base.tokens.count == 2)
        hand.advance(.second)
        #expect(base.tokens.count == count)
    }

    @Test("limits that are taken away let all go at once, whatever was owed")
    func removal() {
        let disk = disk(RateLimits(bytes: .init(perSecond: 1)))
        disk.submit(reads(0..<10))
        #expect(base.tokens.count == 1)
        disk.setLimits(RateLimits())
        #expect(base.tokens == Array(0..<10))
        disk.submit(reads(10..<12))
        #expect(base.tokens == Array(0..<12))
    }

    @Test("at the end those that wait are answered with failure")
    func close() {
        let disk = disk(Self.tenASecond)
        disk.submit(reads(0..<5))
        disk.close()
        #expect(answers.all == [2, 3, 4])
        hand.advance(10 * .second)
        #expect(base.tokens == [0, 1])
    }

    @Test("in the host's time 4 MiB at 8 MiB a second take half a second, and all are answered")
    func realTime() throws {
        let loop = try EventLoop(name: "limits")
        try loop.start()
        defer { loop.stop() }
        let folder = TemporaryFolder()
        let size: UInt64 = 4 << 20
        let ram = try GuestRAM(size: size)
        let memory = GuestMemory(
            regions: [MemoryRegion(base: GuestAddress(0x8000_0000), size: size, host: ram.base)])
        let raw = try RawDisk(DiskFile(try folder.file(size: Int(size))), memory: memory) { [answers] token, _ in
            answers.add(token)
        }
        defer { raw.close() }
        let limits = RateLimits(bytes: .init(perSecond: 8 << 20, burst: 64 << 10))
        let disk = LimitedDisk(raw, limits: limits, timer: LimitTimer(loop)) { [answers] token, _ in
            answers.add(token)
        }
        let start = MonotonicTime.now
        disk.submit(
            (0..<64 as Range<UInt64>).map { token in
                let segment = MemorySegment(address: GuestAddress(0x8000_0000 + token << 16), count: 64 << 10)
                return BlockRequest(token: token, operation: .write(offset: token << 16, from: [segment]))
            })
        #expect(answers.wait(for: 64).sorted() == Array(0..<64))
        // The first has been there already; the rest pays.
        #expect(MonotonicTime.now - start >= 480 * .millisecond)
        #expect(disk.counts.delayed >= 50)
    }
}
