// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import MachineCore
import Synchronization
import SystemPackage
import VMMemory

/// What callbacks on other threads noted, in order.
final class Notes<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let gate = WaitGate()

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        gate.wake()
    }

    var all: [Value] { values.withLock { $0 } }

    /// Waits until `count` values are there, at most ten seconds; what is there then.
    func wait(for count: Int) -> [Value] { wait { $0.count >= count } }

    /// Waits until `condition` holds of the values, at most ten seconds; what is there then.
    func wait(until condition: ([Value]) -> Bool) -> [Value] {
        let deadline = MonotonicTime.after(milliseconds: 10_000)
        while !condition(all), MonotonicTime.now < deadline { gate.wait(untilMonotonic: deadline) }
        return all
    }
}

/// A folder that is gone, with all that is in it, when the object is.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init() {
        var template = Array("/tmp/apus-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit {
        for name in Directory.names(path) { unlink(path.appending(name).string) }
        rmdir(path.string)
    }

    /// A file of `size` bytes, or more if `head` has more, that begins with `head` and goes on with zeroes.
    func file(_ name: String = "disk.raw", size: Int, head: [UInt8] = []) throws -> FilePath {
        let file = try Descriptor.open(path.appending(name), .readWrite, options: [.create, .truncate])
        ftruncate(file.number, size)
        try file.raw.writeAll(toAbsoluteOffset: 0, head)
        return path.appending(name)
    }
}

/// Bytes that look random and are the same each time.
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    // Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// A disk on a file, with guest memory of its own, driven as a device would.
final class DiskBench {
    static let memoryBase = GuestAddress(0x8000_0000)
    private let ram: GuestRAM
    let memory: GuestMemory
    let disk: RawDisk
    private let results = Notes<(UInt64, BlockResult)>()
    private var token: UInt64 = 0

    init(_ path: FilePath, readOnly: Bool = false) throws {
        let size: UInt64 = 4 << 20
        ram = try GuestRAM(size: size)
        memory = GuestMemory(regions: [MemoryRegion(base: Self.memoryBase, size: size, host: ram.base)])
        let file = try DiskFile(path, readOnly: readOnly)
        disk = try RawDisk(file, memory: memory) { [results] in results.add(($0, $1)) }
    }

    deinit { disk.close() }

    /// Segments of guest memory, `offset` and count in bytes.
    func segments(_ ranges: [(offset: UInt64, count: UInt64)]) -> [MemorySegment] {
        ranges.map { MemorySegment(address: Self.memoryBase + $0.offset, count: $0.count) }
    }

    /// Submits all of `operations` at once; their results in their order.
    func run(_ operations: [BlockOperation]) -> [BlockResult] {
        let first = token
        disk.submit(
            operations.map { operation in
                defer { token += 1 }
                return BlockRequest(token: token, operation: operation)
            })
        let all = results.wait { $0.filter { $0.0 >= first }.count >= operations.count }
        return (first..<token).flatMap { token in all.filter { $0.0 == token }.map { $0.1 } }
    }

    func run(_ operation: BlockOperation) -> BlockResult? { run([operation]).first }

    /// Writes `bytes` to the disk at `offset`, through guest memory.
    func write(_ bytes: [UInt8], at offset: UInt64) -> BlockResult? {
        memory.write(bytes, at: Self.memoryBase)
        return run(.write(offset: offset, from: segments([(0, UInt64(bytes.count))])))
    }

    /// Reads from the disk, through guest memory that held something else.
    func read(_ count: Int, at offset: UInt64) -> [UInt8]? {
        memory.fill(at: Self.memoryBase, count: UInt64(count), with: 0xEE)
        guard run(.read(offset: offset, into: segments([(0, UInt64(count))]))) == .done else { return nil }
        return memory.bytes(at: Self.memoryBase, count: count)
    }
}

/// How many descriptors this process has open. The runtime opens a few when it likes: compare with a margin.
func openDescriptors() -> Int { Directory.names("/proc/self/fd").count }

/// How many threads this process has.
func liveThreads() -> Int { Directory.names("/proc/self/task").count }

/// Whether `condition` holds now or within twenty seconds.
func settles(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicTime.after(milliseconds: 120_000)
    while !condition(), MonotonicTime.now < deadline { usleep(10_000) }
    return condition()
}
