// SPDX-License-Identifier: Apache-2.0

public import Host
public import MachineCore
import Synchronization
public import VMMemory

/// The host's side of a balloon over private or shared guest memory: pages in it, and pages that the guest reports as
/// free, are the host's until they are touched again.
///
/// The host gives the guest huge pages where it can. A page dropped out of one leaves 511 that stay, and later the host
/// fills the hole again, to have its huge page back. So while any page of a block the size of a huge page is in the
/// balloon, the block has small pages only; when the last has left, it may have a huge one again. Pages that the guest
/// reports come as whole blocks, and need none of that.
///
/// A guest can ask for more than it is worth: the thread that works here sleeps for as long as it has worked, so that
/// no guest gets more than half of a host CPU out of it.
public final class RAMBalloon: BalloonBackend {
    /// Told that the request of this token is done, on the balloon's thread.
    public typealias Completion = @Sendable (_ token: UInt64) -> Void

    private struct State {
        var queue: [BalloonRequest] = []
        /// A request is being worked on.
        var isWorking = false
        var isClosing = false
        var drainers: [WaitGate] = []
    }

    /// What the thread alone knows.
    private struct Local {
        var pages: BalloonedPages
        /// Nanoseconds worked since the thread last slept.
        var worked: UInt64 = 0
    }

    private let ram: GuestRAM
    private let memory: GuestMemory
    private let completion: Completion
    private let gate = WaitGate()
    private let state = Mutex(State())
    private let thread = Mutex<HostThread?>(nil)
    private let discarded = Atomic<UInt64>(0)
    private let failures = Atomic<UInt64>(0)

    /// How long the thread works at a stretch before it sleeps as long.
    private static let stretch: UInt64 = 20_000_000

    /// A balloon over `memory`, all of whose regions lie in `ram`. Call `close()` before letting go of it: its thread
    /// holds it.
    public init(_ ram: GuestRAM, memory: GuestMemory, completion: @escaping Completion) throws(HostError) {
        self.ram = ram
        self.memory = memory
        self.completion = completion
        let started = try HostThread(name: "balloon", role: .disk, stackSize: 128 << 10) { self.work() }
        thread.withLock { $0 = started }
    }

    /// Bytes given back to the host so far.
    public var discardedBytes: UInt64 { discarded.load(ordering: .relaxed) }
    /// Times that the host did not take back what it was given.
    public var hostFailures: UInt64 { failures.load(ordering: .relaxed) }

    public func submit(_ request: BalloonRequest) {
        let isClosing = state.withLock { state in
            if !state.isClosing { state.queue.append(request) }
            return state.isClosing
        }
        if isClosing { return completion(request.token) }
        gate.wake()
    }

    /// Returns once every request submitted so far has been answered. Not on the balloon's thread.
    public func drain() {
        let gate = WaitGate()
        let isBusy = state.withLock { state in
            guard state.isWorking || !state.queue.isEmpty else { return false }
            state.drainers.append(gate)
            return true
        }
        if isBusy { gate.wait() }
    }

    /// Answers what was submitted and ends the thread. Requests that come later are answered, and nothing is done.
    public func close() {
        state.withLock { $0.isClosing = true }
        gate.wake()
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }

    // MARK: The thread

    private enum Next {
        case request(BalloonRequest)
        case sleep
        case end
    }

    private func work() {
        var local = Local(pages: BalloonedPages(size: ram.size))
        while true {
            switch next() {
            case .request(let request):
                let start = MonotonicTime.now
                perform(request.operation, &local)
                completion(request.token)
                local.worked &+= MonotonicTime.now &- start
                settle()
                rest(&local)
            case .sleep:
                gate.wait()
                local.worked = 0
            case .end: return
            }
        }
    }

    private func next() -> Next {
        state.withLock { state in
            guard !state.queue.isEmpty else { return state.isClosing ? .end : .sleep }
            state.isWorking = true
            return .request(state.queue.removeFirst())
        }
    }

    /// Lets go those who wait, if all is answered.
    private func settle() {
        let waiting: [WaitGate] = state.withLock { state in
            state.isWorking = false
            guard state.queue.isEmpty else { return [] }
            defer { state.drainers = [] }
            return state.drainers
        }
        for gate in waiting { gate.wake() }
    }

    private func rest(_ local: inout Local) {
        guard local.worked >= Self.stretch else { return }
        WaitGate().wait(untilMonotonic: MonotonicTime.now + min(local.worked, 10 * Self.stretch))
        local.worked = 0
    }

    private func perform(_ operation: BalloonOperation, _ local: inout Local) {
        switch operation {
        case .inflate(let segments):
            for segment in segments {
                guard let range = range(of: segment) else { continue }
                for blocks in local.pages.add(range) { advise(blocks, huge: false) }
                discard(segment, range)
            }
        case .deflate(let segments):
            for segment in segments {
                guard let range = range(of: segment) else { continue }
                for blocks in local.pages.remove(range) { advise(blocks, huge: true) }
            }
        case .discard(let segments):
            for segment in segments {
                if let range = range(of: segment) { discard(segment, range) }
            }
        case .forget:
            for blocks in local.pages.removeAll() { advise(blocks, huge: true) }
        }
    }

    /// Where in `ram` a segment lies; nil for what is none of it.
    private func range(of segment: MemorySegment) -> Range<UInt64>? {
        // SAFETY: a number; nothing is dereferenced.
        guard let host = unsafe memory.hostPointer(at: segment.address, count: segment.count) else { return nil }
        let offset = unsafe UInt64(UInt(bitPattern: host) &- UInt(bitPattern: ram.base))
        guard offset <= ram.size, segment.count <= ram.size - offset else { return nil }
        return offset..<offset + segment.count
    }

    private func discard(_ segment: MemorySegment, _ range: Range<UInt64>) {
        // A write of zeroes, for whoever keeps something made from these pages: once before, and once when it is done,
        // as another vCPU may have looked in between.
        memory.noteWrite(at: segment.address, count: segment.count)
        do throws(HostError) {
            try ram.release(range)
            discarded.add(segment.count, ordering: .relaxed)
        } catch {
            failures.add(1, ordering: .relaxed)
        }
        memory.noteWrite(at: segment.address, count: segment.count)
    }

    private func advise(_ range: Range<UInt64>, huge: Bool) {
        if !ram.allowHugePages(in: range, huge) { failures.add(1, ordering: .relaxed) }
    }
}
