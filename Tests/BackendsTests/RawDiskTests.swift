// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import MachineCore
import SystemPackage
import Testing
import VMMemory

@Suite(.timeLimit(.minutes(10))) struct RawDiskTests {
    private let folder = TemporaryFolder()

    @Test(
        "what random writes of random segments put on the disk, reads and the file give back",
        arguments: 1...4 as ClosedRange<UInt64>)
    func integrity(seed: UInt64) throws {
        let size = 1 << 20
        let path = try folder.file(size: size)
        let bench = try DiskBench(path)
        var noise = Noise(seed)
        var model = [UInt8](repeating: 0, count: size)
        for _ in 0..<200 {
            let count = Int.random(in: 1...64, using: &noise) * 512
            let offset = Int.random(in: 0...(size - count) / 512, using: &noise) * 512
            let bytes = noise.bytes(count)
            bench.memory.write(bytes, at: DiskBench.memoryBase)
            // Cut anywhere, single bytes and empty pieces among them.
            let cuts = ([0, count] + (0..<4).map { _ in Int.random(in: 0...count, using: &noise) }).sorted()
            let pieces = zip(cuts, cuts.dropFirst()).map { (offset: UInt64($0), count: UInt64($1 - $0)) }
            #expect(bench.run(.write(offset: UInt64(offset), from: bench.segments(pieces))) == .done)
            model.replaceSubrange(offset..<offset + count, with: bytes)
        }
        #expect(bench.read(size, at: 0) == model)
        #expect(bench.run(.flush) == .done)
        let file = try Descriptor.open(path, .readOnly)
        var content = [UInt8](repeating: 0, count: size)
        #expect(file.raw.receive(into: &content) == .bytes(size))
        #expect(content == model)
    }

    @Test("more segments than one system call takes are all moved")
    func manySegments() throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        var noise = Noise(7)
        let bytes = noise.bytes(5000 * 16)
        bench.memory.write(bytes, at: DiskBench.memoryBase)
        let segments = bench.segments((0..<5000).map { (offset: UInt64($0 * 16), count: 16) })
        #expect(bench.run(.write(offset: 512, from: segments)) == .done)
        #expect(bench.read(bytes.count, at: 512) == bytes)
    }

    @Test("a hundred requests at once are each answered once")
    func concurrency() throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        let operations = (0..<100).map { index in
            BlockOperation.write(offset: UInt64(index * 4096), from: bench.segments([(UInt64(index * 4096), 4096)]))
        }
        #expect(bench.run(operations + [.flush]) == Array(repeating: .done, count: 101))
        bench.disk.drain()
        #expect(bench.disk.statistics.writes == 100)
        #expect(bench.disk.statistics.bytesWritten == 409_600)
    }

    @Test(
        "what leaves the disk or guest memory fails and changes nothing",
        arguments: [
            (1 << 20, 0, 512), ((1 << 20) - 512, 0, 1024), (.max - 511, 0, 512), (0, (4 << 20) - 1, 2),
            (0, 1 << 40, 512), (0, 0, .max), (.max, .max, .max),
        ] as [(UInt64, UInt64, UInt64)])
    func outOfBounds(offset: UInt64, memoryOffset: UInt64, count: UInt64) throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        bench.memory.fill(at: DiskBench.memoryBase, count: 4 << 20, with: 0x55)
        let segments = [MemorySegment(address: DiskBench.memoryBase + memoryOffset, count: count)]
        #expect(bench.run(.read(offset: offset, into: segments)) == .failed)
        #expect(bench.run(.write(offset: offset, from: segments)) == .failed)
        #expect(bench.disk.statistics.failures == 2)
        #expect(bench.memory.bytes(at: DiskBench.memoryBase, count: 1024) == [UInt8](repeating: 0x55, count: 1024))
        #expect(bench.read(1 << 20, at: 0) == [UInt8](repeating: 0, count: 1 << 20))
    }

    @Test("segments whose sum passes 2^64 fail")
    func overflow() throws {
        let bench = try DiskBench(try folder.file(size: 4096))
        let segments = bench.segments([(0, 1 << 63), (0, 1 << 63), (0, 512)])
        #expect(bench.run(.write(offset: 0, from: segments)) == .failed)
    }

    @Test("a read into memory tells the write hook of each page, a write to the disk of none")
    func writeHook() throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        let written = Notes<UInt64>()
        bench.memory.writeHook.listenForCode { written.add($0) }
        let page = DiskBench.memoryBase.page
        for number in page..<page + 3 { #expect(bench.memory.writeHook.mark(number, .code)) }
        #expect(bench.run(.write(offset: 0, from: bench.segments([(0, 8192)]))) == .done)
        #expect(written.all.isEmpty)
        #expect(bench.run(.read(offset: 0, into: bench.segments([(0, 8192)]))) == .done)
        #expect(written.all == [page, page + 1])
    }

    @Test(
        "a discarded range and a zeroed one read as zeroes, their neighbours as before",
        arguments: [
            .discard(offset: 4096, count: 65536), .writeZeroes(offset: 4096, count: 65536, unmap: true),
            .writeZeroes(offset: 4096, count: 65536, unmap: false),
        ] as [BlockOperation])
    func zeroes(operation: BlockOperation) throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        try #require(bench.disk.supportsDiscard)
        #expect(bench.write([UInt8](repeating: 0xAA, count: 1 << 20), at: 0) == .done)
        #expect(bench.run(operation) == .done)
        #expect(bench.read(4096, at: 0) == [UInt8](repeating: 0xAA, count: 4096))
        #expect(bench.read(65536, at: 4096) == [UInt8](repeating: 0, count: 65536))
        #expect(bench.read(4096, at: 69632) == [UInt8](repeating: 0xAA, count: 4096))
    }

    @Test("a discard gives space back to the host and leaves the size")
    func discardGivesBack() throws {
        let path = try folder.file(size: 1 << 20)
        let bench = try DiskBench(path)
        #expect(bench.write([UInt8](repeating: 1, count: 1 << 20), at: 0) == .done)
        #expect(bench.run(.flush) == .done)
        var (before, after) = (stat(), stat())
        stat(path.string, &before)
        #expect(bench.run(.discard(offset: 0, count: 1 << 20)) == .done)
        stat(path.string, &after)
        #expect(after.st_blocks < before.st_blocks)
        #expect(after.st_size == 1 << 20)
    }

    @Test(
        "changes beyond the end of the disk fail and do not grow the file",
        arguments: [
            .discard(offset: 1 << 20, count: 1), .discard(offset: .max, count: .max),
            .writeZeroes(offset: (1 << 20) - 1, count: 2, unmap: true),
            .writeZeroes(offset: 512, count: .max, unmap: false),
        ] as [BlockOperation])
    func changesOutOfBounds(operation: BlockOperation) throws {
        let path = try folder.file(size: 1 << 20)
        #expect(try DiskBench(path).run(operation) == .failed)
        var status = stat()
        stat(path.string, &status)
        #expect(status.st_size == 1 << 20)
    }

    @Test("a read-only disk reads, flushes and refuses every change")
    func readOnly() throws {
        let bench = try DiskBench(try folder.file(size: 4096, head: [1, 2, 3]), readOnly: true)
        #expect(bench.disk.isReadOnly && !bench.disk.supportsDiscard)
        #expect(bench.read(3, at: 0) == [1, 2, 3])
        let changes: [BlockOperation] = [
            .write(offset: 0, from: bench.segments([(0, 512)])), .discard(offset: 0, count: 512),
            .writeZeroes(offset: 0, count: 512, unmap: false), .flush,
        ]
        #expect(bench.run(changes) == [.failed, .failed, .failed, .done])
        #expect(bench.read(3, at: 0) == [1, 2, 3])
    }

    @Test("a file cut short behind our back fails its reads, and nothing else happens")
    func shrunk() throws {
        let path = try folder.file(size: 1 << 20)
        let bench = try DiskBench(path)
        truncate(path.string, 4096)
        #expect(bench.run(.read(offset: 8192, into: bench.segments([(0, 512)]))) == .failed)
        #expect(bench.run(.read(offset: 0, into: bench.segments([(0, 8192)]))) == .failed)
        #expect(bench.run(.read(offset: 0, into: bench.segments([(0, 4096)]))) == .done)
    }

    @Test("requests after the end fail, those before it were answered")
    func close() throws {
        let bench = try DiskBench(try folder.file(size: 1 << 20))
        #expect(bench.write([1, 2, 3, 4], at: 0) == .done)
        bench.disk.close()
        bench.disk.close()
        #expect(bench.run(.flush) == .failed)
        bench.disk.drain()
    }

    @Test(
        "a full file system fails the write and counts it; once it has room the disk works again",
        .enabled(if: getuid() == 0, "mounting a small tmpfs takes root"))
    func fullFileSystem() throws {
        try #require(mount("apus", folder.path.string, "tmpfs", 0, "size=1m") == 0)
        defer { umount2(folder.path.string, 2) }
        let path = try folder.file(size: 4 << 20)
        let filler = try folder.file("filler", size: 0, head: [UInt8](repeating: 1, count: 768 << 10))
        let bench = try DiskBench(path)
        #expect(bench.write([UInt8](repeating: 2, count: 1 << 20), at: 0) == .failed)
        #expect(bench.disk.statistics.outOfSpace == 1)
        unlink(filler.string)
        #expect(bench.write([UInt8](repeating: 3, count: 4096), at: 1 << 20) == .done)
        #expect(bench.read(4096, at: 1 << 20) == [UInt8](repeating: 3, count: 4096))
    }

    @Test("two hundred disks leave no descriptor and no thread behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            let path = try folder.file(size: 4096)
            let before = (openDescriptors(), liveThreads())
            for _ in 0..<200 {
                let bench = try DiskBench(path)
                guard bench.write([1], at: 0) == .done else { exit(2) }
            }
            let isClean = settles { openDescriptors() < before.0 + 50 && liveThreads() < before.1 + 50 }
            withExtendedLifetime(folder) {}
            exit(isClean ? 0 : 1)
        }
    }
}
