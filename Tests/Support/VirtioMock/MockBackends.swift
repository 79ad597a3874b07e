// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A disk in an array. It answers at once, or when told to.
public final class MockDisk: BlockBackend, @unchecked Sendable {
    /// What is on the disk.
    public var content: [UInt8]
    public var isReadOnly: Bool
    public var supportsDiscard: Bool
    public var serial = "MOCK-0001"
    /// Answers wait for `answer`.
    public var holdsAnswers = false
    /// Requests that wait have not begun: a reset cancels them.
    public var cancelsPending = false
    /// What reads, writes and flushes come to, if not done.
    public var failure: BlockResult?
    /// Requests in the order they came.
    public private(set) var log: [BlockRequest] = []
    /// Requests not answered yet.
    public private(set) var pending: [BlockRequest] = []
    /// Where answers go: the device, through its adaptor.
    public var completion: (UInt64, BlockResult) -> Void = { _, _ in }
    private let memory: GuestMemory

    /// A disk of `sectors` zeroed sectors that moves data to and from `memory`.
    public init(sectors: Int, memory: GuestMemory, isReadOnly: Bool = false, supportsDiscard: Bool = true) {
        content = Array(repeating: 0, count: sectors * 512)
        self.memory = memory
        self.isReadOnly = isReadOnly
        self.supportsDiscard = supportsDiscard
    }

    public var capacity: UInt64 { UInt64(content.count) }

    public func submit(_ requests: [BlockRequest]) {
        log.append(contentsOf: requests)
        pending.append(contentsOf: requests)
        if !holdsAnswers { answerAll() }
    }

    /// Answers those pending that the device does not want any more, as a backend in which they wait would.
    public func cancel(where isUnwanted: (_ token: UInt64) -> Bool) {
        guard cancelsPending else { return }
        let unwanted = pending.filter { isUnwanted($0.token) }
        pending.removeAll { isUnwanted($0.token) }
        for request in unwanted { completion(request.token, .failed) }
    }

    /// Does and answers the pending request at `index`.
    public func answer(_ index: Int = 0) {
        let request = pending.remove(at: index)
        if failure == nil { perform(request.operation) }
        completion(request.token, failure ?? .done)
    }

    /// Does and answers all, the newest first if `reversed`.
    public func answerAll(reversed: Bool = false) {
        while !pending.isEmpty { answer(reversed ? pending.count - 1 : 0) }
    }

    private func perform(_ operation: BlockOperation) {
        switch operation {
        case .read(let offset, let segments):
            var place = Int(offset)
            for segment in segments {
                memory.write(Array(content[place..<place + Int(segment.count)]), at: segment.address)
                place += Int(segment.count)
            }
        case .write(let offset, let segments):
            var place = Int(offset)
            for segment in segments {
                let bytes = memory.bytes(at: segment.address, count: Int(segment.count)) ?? []
                content.replaceSubrange(place..<place + bytes.count, with: bytes)
                place += bytes.count
            }
        case .flush: break
        case .discard(let offset, let count), .writeZeroes(let offset, let count, _):
            let range = Int(offset)..<Int(offset + count)
            content.replaceSubrange(range, with: repeatElement(0, count: Int(count)))
        }
    }
}

/// Frames sent, and how often the device said that it has room.
public final class MockNetwork: NetworkBackend, @unchecked Sendable {
    public private(set) var sent: [[UInt8]] = []
    public private(set) var resumes = 0
    /// Frames are kept: the device is to send no more.
    public var isHolding = false
    /// Called with the number of frames sent so far, this one included, before it is.
    public var onSend: (Int) -> Void = { _ in }
    public init() {}
    public func send(_ frame: [UInt8]) {
        onSend(sent.count + 1)
        sent.append(frame)
    }
    public func resume() { resumes += 1 }
    /// Forgets what was sent.
    public func clear() { sent = [] }
}

/// Bytes sent, up to a room that the test sets.
public final class MockStream: StreamBackend, @unchecked Sendable {
    public private(set) var sent: [UInt8] = []
    public private(set) var resumes = 0
    /// How many bytes more are taken.
    public var room = Int.max
    /// Called when not all was taken, before the answer.
    public var onShort: (() -> Void)?
    public init() {}
    public func send(_ bytes: [UInt8]) -> Int {
        let taken = min(room, bytes.count)
        sent.append(contentsOf: bytes.prefix(taken))
        if room != .max { room -= taken }
        if taken < bytes.count { onShort?() }
        return taken
    }
    public func resume() { resumes += 1 }
}

/// Counts up: byte n of all bytes ever given is n, so that tests can tell them from zeroes and from repeats.
public final class MockEntropy: EntropySource, @unchecked Sendable {
    /// How many bytes are left.
    public var left = Int.max
    /// The sizes asked for.
    public private(set) var asked: [Int] = []
    private var next: UInt8 = 1
    public init() {}
    public func bytes(_ count: Int) -> [UInt8] {
        asked.append(count)
        let given = min(left, count)
        if left != .max { left -= given }
        return (0..<given).map { _ in
            defer { next &+= 1 }
            return next
        }
    }
}

/// Pages that a balloon asked to discard. It does so at once, or when told to.
public final class MockBalloon: BalloonBackend, @unchecked Sendable {
    /// Answers wait for `answer`.
    public var holdsAnswers = false
    /// Requests in the order they came.
    public private(set) var log: [BalloonRequest] = []
    /// Requests not answered yet.
    public private(set) var pending: [BalloonRequest] = []
    /// Where answers go: the device, through its adaptor.
    public var completion: (UInt64) -> Void = { _ in }
    private let memory: GuestMemory

    /// A backend that zeroes pages of `memory`.
    public init(memory: GuestMemory) { self.memory = memory }

    /// What was asked for, in order.
    public var operations: [BalloonOperation] { log.map(\.operation) }

    public func submit(_ request: BalloonRequest) {
        log.append(request)
        pending.append(request)
        if !holdsAnswers { answerAll() }
    }

    /// Does and answers the oldest request.
    public func answer() {
        let request = pending.removeFirst()
        switch request.operation {
        case .inflate(let segments), .discard(let segments):
            for segment in segments { memory.fill(at: segment.address, count: segment.count) }
        case .deflate, .forget: break
        }
        completion(request.token)
    }

    /// Does and answers all.
    public func answerAll() { while !pending.isEmpty { answer() } }
}
