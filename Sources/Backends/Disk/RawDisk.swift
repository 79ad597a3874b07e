// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
import Logging
public import MachineCore
import Synchronization
import SystemPackage
public import VMMemory

/// A disk over a raw file or block device: a few threads move data straight between the file and guest memory.
///
/// Requests run in any order, several at a time. A flush is carried out after it was submitted, so whatever write had
/// completed by then is durable when it completes. Once the host has lost written data, no flush succeeds any more.
public final class RawDisk: BlockBackend {
    /// Hears how each request ended, by its token, on a thread of the disk's.
    public typealias Completion = @Sendable (_ token: UInt64, BlockResult) -> Void

    /// Counts since the disk was opened.
    public struct Statistics: Equatable, Sendable {
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0
        public var flushes: UInt64 = 0
        public var discards: UInt64 = 0
        public var bytesRead: UInt64 = 0
        public var bytesWritten: UInt64 = 0
        /// Requests that failed, those below included.
        public var failures: UInt64 = 0
        /// Writes for which the host had no space.
        public var outOfSpace: UInt64 = 0
    }

    struct State {
        var queue: [BlockRequest] = []
        /// How many of `queue`, from the front, have been taken.
        var taken = 0
        var inFlight = 0
        var idleWorkers: [Int] = []
        var drainers: [WaitGate] = []
        var isClosing = false
        var statistics = Statistics()
        var hasLostWrites = false
        var hasReported = false

        mutating func takeRequest() -> BlockRequest {
            let request = queue[taken]
            taken += 1
            // Half of the array is done with: moving the rest costs no more than was taken.
            if taken * 2 >= queue.count {
                queue.removeFirst(taken)
                taken = 0
            }
            return request
        }
    }

    let file: DiskFile
    let memory: GuestMemory
    let state = Mutex(State())
    let logger = Logger(label: "apus.disk")
    private let completion: Completion
    private let gates: [WaitGate]
    private let threads = Mutex<[HostThread]>([])

    public let serial: String
    public var capacity: UInt64 { file.capacity }
    public var isReadOnly: Bool { file.isReadOnly }
    public var supportsDiscard: Bool { file.supportsDiscard }

    /// A disk over `file` that reads and writes `memory` and tells `completion`. `serial` is cut to 20 bytes of ASCII.
    /// Call `close()` before letting go of it: its threads hold it.
    public init(
        _ file: DiskFile, memory: GuestMemory, serial: String = "", workers: Int = 2, completion: @escaping Completion
    ) throws(HostError) {
        precondition(workers > 0, "a disk has a thread to work on")
        self.file = file
        self.memory = memory
        self.completion = completion
        self.serial = String(decoding: serial.utf8.filter { (0x20..<0x7F).contains($0) }.prefix(20), as: UTF8.self)
        gates = (0..<workers).map { _ in WaitGate() }
        if file.unreachable > 0 {
            logger.notice("'\(file.path)' is no whole number of sectors: the last \(file.unreachable) bytes are unused")
        }
        do throws(HostError) {
            for index in 0..<workers {
                let thread = try HostThread(name: "disk \(index)", role: .disk) { self.work(index) }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            close()
            throw error
        }
    }

    public func submit(_ requests: [BlockRequest]) {
        let (woken, isClosed) = state.withLock { state in
            guard !state.isClosing else { return ([Int](), true) }
            state.queue += requests
            state.inFlight += requests.count
            let count = min(requests.count, state.idleWorkers.count)
            defer { state.idleWorkers.removeLast(count) }
            return (Array(state.idleWorkers.suffix(count)), false)
        }
        for worker in woken { gates[worker].wake() }
        if isClosed { for request in requests { completion(request.token, .failed) } }
    }

    /// Returns once every request submitted so far has been answered. Not on a thread of the disk's.
    public func drain() {
        let gate = WaitGate()
        let isBusy = state.withLock { state in
            guard state.inFlight > 0 else { return false }
            state.drainers.append(gate)
            return true
        }
        if isBusy { gate.wait() }
    }

    /// Answers what was submitted, ends the threads and makes all writes durable. Requests that come later fail. The
    /// file and its lock go with the `DiskFile`.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosing = true }
            return !state.isClosing
        }
        guard isFirst else { return }
        for gate in gates { gate.wake() }
        for thread in threads.withLock({ $0 }) { thread.join() }
        threads.withLock { $0 = [] }
        if !file.isReadOnly, state.withLock({ $0.statistics.writes + $0.statistics.discards }) > 0 { _ = flush() }
    }

    /// Counts so far.
    public var statistics: Statistics { state.withLock { $0.statistics } }

    // MARK: The workers

    private enum Next {
        case request(BlockRequest)
        case sleep
        case end
    }

    private func work(_ index: Int) {
        while true {
            let next = state.withLock { state -> Next in
                if state.taken < state.queue.count {
                    return .request(state.takeRequest())
                }
                if state.isClosing { return .end }
                if !state.idleWorkers.contains(index) { state.idleWorkers.append(index) }
                return .sleep
            }
            switch next {
            case .request(let request): answer(request)
            case .sleep: gates[index].wait()
            case .end: return
            }
        }
    }

    private func answer(_ request: BlockRequest) {
        let result = perform(request.operation)
        completion(request.token, result)
        // After the completion, so that who drains knows that the device has heard.
        let drained = state.withLock { state -> [WaitGate] in
            state.inFlight -= 1
            guard state.inFlight == 0 else { return [] }
            defer { state.drainers = [] }
            return state.drainers
        }
        for gate in drained { gate.wake() }
    }
}
