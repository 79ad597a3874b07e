// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import VMMemory

/// A disk that keeps every request until it is told to answer, and holds the device to its contract.
final class PendingDisk: BlockBackend, @unchecked Sendable {
    let capacity: UInt64 = 1 << 20
    let isReadOnly: Bool
    let supportsDiscard = true
    let serial = "fuzz"
    var pending: [BlockRequest] = []
    private let memory: GuestMemory

    init(memory: GuestMemory, isReadOnly: Bool) {
        self.memory = memory
        self.isReadOnly = isReadOnly
    }

    func submit(_ requests: [BlockRequest]) {
        for request in requests {
            require(!pending.contains { $0.token == request.token }, "token \(request.token) is used twice")
            check(request.operation)
        }
        pending += requests
    }

    private func check(_ operation: BlockOperation) {
        switch operation {
        case .read(let offset, let segments):
            check(offset, segments)
        case .write(let offset, let segments):
            require(!isReadOnly, "a write reaches a read-only disk")
            check(offset, segments)
            plantedBug(segments.count > 1 && offset >= 2048 && !pending.isEmpty)
        case .flush: break
        case .discard(let offset, let count), .writeZeroes(let offset, let count, _):
            require(!isReadOnly, "a read-only disk is asked to discard")
            require(offset <= capacity && count <= capacity - offset, "a range past the end of the disk")
        }
    }

    private func check(_ offset: UInt64, _ segments: [MemorySegment]) {
        let total = segments.reduce(0) { $0 + $1.count }
        require(offset <= capacity && total <= capacity - offset, "a transfer past the end of the disk")
        for segment in segments {
            require(memory.contains(segment.address, count: segment.count), "a segment outside of RAM")
        }
    }

    /// Does to guest memory what the operation says, as a real disk would.
    func perform(_ operation: BlockOperation) {
        guard case .read(_, let segments) = operation else { return }
        for segment in segments {
            let bytes = [UInt8](repeating: 0x5A, count: Int(segment.count))
            require(bytes.withUnsafeBytes { memory.write($0, at: segment.address) }, "a segment outside of RAM")
        }
    }
}

/// The host's side of a balloon, which keeps its request until it is told to answer, and holds the device to its
/// contract.
final class PendingPages: BalloonBackend, @unchecked Sendable {
    private(set) var queue: [BalloonRequest] = []
    private let memory: GuestMemory

    init(memory: GuestMemory) { self.memory = memory }

    /// The oldest request.
    var pending: BalloonRequest? { queue.first }

    func submit(_ request: BalloonRequest) {
        require(!queue.contains { $0.token == request.token }, "token \(request.token) is used twice")
        // One of now; from before each reset at most its own and what the reset itself asks for.
        queue.append(request)
        switch request.operation {
        case .inflate(let segments), .deflate(let segments), .discard(let segments): check(segments)
        case .forget: break
        }
    }

    private func check(_ segments: [MemorySegment]) {
        var end: UInt64 = 0
        for segment in segments {
            require(segment.count > 0 && (segment.count | segment.address.value) & 4095 == 0, "a part of a page")
            require(memory.contains(segment.address, count: segment.count), "pages outside of RAM")
            require(segment.address.value > end, "pages out of order, or pages that could have been joined")
            end = segment.address.value + segment.count
        }
    }

    /// Does to guest memory what the operation says, as a real host would, and lets go of the request.
    func perform(_ operation: BalloonOperation) {
        queue.removeFirst()
        switch operation {
        case .inflate(let segments), .discard(let segments):
            for segment in segments { memory.fill(at: segment.address, count: segment.count) }
        case .deflate, .forget: break
        }
    }
}

/// Entropy that runs dry now and then.
final class CountingSource: EntropySource, @unchecked Sendable {
    private var calls = 0

    func bytes(_ count: Int) -> [UInt8] {
        calls += 1
        return calls % 3 == 0 ? [] : [UInt8](repeating: 0xA5, count: min(count, 100))
    }
}

/// Where frames and console output go to be forgotten; full now and then.
final class DeadEnd: NetworkBackend, StreamBackend, @unchecked Sendable {
    private var calls = 0

    func send(_ frame: [UInt8]) {
        require((14...65550).contains(frame.count), "a frame of \(frame.count) bytes leaves the guest")
    }

    func send(_ bytes: [UInt8]) -> Int {
        calls += 1
        return calls % 4 == 0 ? bytes.count / 2 : bytes.count
    }

    func resume() {}
}
