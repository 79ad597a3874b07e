// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
public import MachineCore
import Synchronization
public import SystemPackage

/// A stream over descriptors of the host's, driven by an event loop.
///
/// Output: bytes wait in a bounded buffer until the descriptor takes them; a full buffer takes no more, and `room` is
/// called when it does again. Nothing here blocks the sender. Input: read only as fast as the guest takes it.
public final class DescriptorStream: StreamBackend {
    /// What happened to the outside.
    public enum Event: Equatable, Sendable {
        /// Nothing more will come: the end of a file or pipe, or a terminal that is gone.
        case inputEnded
        /// Nothing more will go out; what is sent from now on is thrown away.
        case outputFailed(Errno)
        /// The disk is full: bytes are lost, now and until it has space. Told once.
        case outOfSpace
    }

    /// Takes bytes for the guest and answers how many fit.
    public typealias Delivery = @Sendable ([UInt8]) -> Int

    struct State {
        var buffer: OutputBuffer
        var isWriting = false
        var wasFull = false
        var wasOutOfSpace = false
        var outputError: Errno?
        var pending: ArraySlice<UInt8> = []
        var inputEnded = false
        var delivery: Delivery?
        var room: (@Sendable () -> Void)?
        var inputWatch: EventLoop.Watch?
        var outputWatch: EventLoop.Watch?
        var drainers: [WaitGate] = []
        var whenEmpty: (@Sendable () -> Void)?
        var isClosed = false
    }

    private static let readSize = 16 << 10
    /// A pipe that is ready for writing has room for this many bytes (pipe(7), PIPE_BUF).
    private static let cautiousWrite = 4096
    private static let writeSize = 64 << 10
    private static let writesPerTurn = 16

    let state: Mutex<State>
    private let loop: EventLoop
    private let input: FileDescriptor?
    private let output: OutputDescriptor?
    private let event: @Sendable (Event) -> Void

    /// A stream from `input` to `output`, of which either may be absent; it owns neither. `event` is called on the
    /// loop's thread. Call `close()` before closing the descriptors.
    public convenience init(
        loop: EventLoop, input: FileDescriptor?, output: FileDescriptor?, bufferSize: Int = 1 << 20,
        event: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.init(
            loop: loop, input: input, output: output.map { OutputDescriptor(inherited: $0) }, bufferSize: bufferSize,
            overflow: .refuse, event: event)
    }

    /// A stream over `socket`, which does not block and is nobody else's; it does not own it. With `discardsOldest` a
    /// full buffer loses what it has had longest, instead of taking no more.
    public convenience init(
        loop: EventLoop, socket: FileDescriptor, bufferSize: Int = 1 << 20, discardsOldest: Bool = false,
        event: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.init(
            loop: loop, input: socket, output: OutputDescriptor(nonBlocking: socket), bufferSize: bufferSize,
            overflow: discardsOldest ? .discardOldest : .refuse, event: event)
    }

    init(
        loop: EventLoop, input: FileDescriptor?, output: OutputDescriptor?, bufferSize: Int,
        overflow: OutputBuffer.Overflow, event: @escaping @Sendable (Event) -> Void
    ) {
        self.loop = loop
        self.input = input
        self.output = output
        self.event = event
        state = Mutex(State(buffer: OutputBuffer(capacity: bufferSize, overflow: overflow)))
    }

    /// Sets who takes what comes in, and who hears that output has room again; input is read from now on. Once.
    public func connect(
        _ delivery: @escaping Delivery, room: (@Sendable () -> Void)? = nil
    ) throws(HostError) {
        state.withLock { state in
            precondition(state.delivery == nil, "a stream is connected once")
            state.delivery = delivery
            state.room = room
        }
        guard let input else { return }
        let watch = try loop.watch(input, for: .readable) { [weak self] _ in self?.readInput() }
        state.withLock { state in
            // It may have been closed, or read to its end, meanwhile.
            if state.isClosed || state.inputEnded { watch.cancel() } else { state.inputWatch = watch }
        }
    }

    // MARK: Output

    public func send(_ bytes: [UInt8]) -> Int {
        guard !bytes.isEmpty else { return 0 }
        let (taken, starts) = state.withLock { state in
            // There is no reader: nothing is to be kept, and nobody to wait for.
            guard output != nil, state.outputError == nil, !state.isClosed else { return (bytes.count, false) }
            let taken = state.buffer.append(bytes)
            if taken < bytes.count { state.wasFull = true }
            guard !state.isWriting, taken > 0 else { return (taken, false) }
            state.isWriting = true
            return (taken, true)
        }
        if starts { loop.post { [self] in writeOutput() } }
        return taken
    }

    /// Writes until the descriptor takes no more. On the loop's thread.
    private func writeOutput() {
        guard let output else { return }
        // A fast sender does not keep the loop here.
        for _ in 0..<Self.writesPerTurn {
            // Written outside the lock; meanwhile the sender may add, discard and close.
            let (start, chunk) = state.withLock { state in
                let limit = output.mayBlock ? Self.cautiousWrite : Self.writeSize
                return (state.buffer.start, state.isClosed ? [] : state.buffer.prefix(limit))
            }
            guard !chunk.isEmpty else { return finishWriting() }
            if output.mayBlock, !output.isReady { return awaitOutput() }
            switch output.descriptor.transmit(chunk) {
            case .bytes(let count):
                let room = state.withLock { state -> (@Sendable () -> Void)? in
                    state.buffer.remove(before: start + UInt64(count))
                    // Half empty, so that the sender does not come back for each byte.
                    guard state.wasFull, state.buffer.count <= state.buffer.capacity / 2 else { return nil }
                    state.wasFull = false
                    return state.room
                }
                room?()
            case .wouldBlock: return awaitOutput()
            case .failed(.noSpace): dropForLackOfSpace(before: start + UInt64(chunk.count))
            case .failed(let error): return failOutput(error)
            }
        }
        loop.post { [self] in writeOutput() }
    }

    /// The disk may have space again later, so only these bytes are lost.
    private func dropForLackOfSpace(before position: UInt64) {
        let isFirst = state.withLock { state in
            state.buffer.remove(before: position)
            defer { state.wasOutOfSpace = true }
            return !state.wasOutOfSpace
        }
        if isFirst { event(.outOfSpace) }
    }

    private func finishWriting() {
        let (drainers, work, more) = state.withLock { state -> ([WaitGate], (@Sendable () -> Void)?, Bool) in
            guard state.buffer.isEmpty || state.isClosed else { return ([], nil, true) }
            state.isWriting = false
            state.outputWatch?.setInterest([])
            defer { (state.drainers, state.whenEmpty) = ([], nil) }
            return (state.drainers, state.whenEmpty, false)
        }
        for gate in drainers { gate.wake() }
        work?()
        if more { loop.post { [self] in writeOutput() } }
    }

    private func awaitOutput() {
        guard let output else { return }
        if let watch = state.withLock({ $0.outputWatch }) { return watch.setInterest(.writable) }
        do throws(HostError) {
            let watch = try loop.watch(output.descriptor, for: .writable) { [weak self] _ in self?.writeOutput() }
            state.withLock { state in
                if state.isClosed { watch.cancel() } else { state.outputWatch = watch }
            }
        } catch {
            failOutput(error.errno ?? .ioError)
        }
    }

    private func failOutput(_ error: Errno) {
        let (drainers, work, room) = state.withLock { state in
            state.outputError = error
            state.buffer.removeAll()
            state.isWriting = false
            state.outputWatch?.cancel()
            state.outputWatch = nil
            defer { (state.drainers, state.whenEmpty) = ([], nil) }
            return (state.drainers, state.whenEmpty, state.room)
        }
        for gate in drainers { gate.wake() }
        work?()
        room?()
        event(.outputFailed(error))
    }

    /// Waits until all that was sent has gone out, or until `deadline` nanoseconds of `MonotonicTime`; true if all went.
    /// Not on the loop's thread.
    @discardableResult
    public func drain(until deadline: UInt64? = nil) -> Bool {
        let gate = WaitGate()
        let isBusy = state.withLock { state in
            guard state.isWriting else { return false }
            state.drainers.append(gate)
            return true
        }
        return isBusy ? gate.wait(untilMonotonic: deadline) : true
    }

    /// Calls `work` on the loop's thread once all that was sent so far has gone out or cannot any more.
    public func whenWritten(_ work: @escaping @Sendable () -> Void) {
        let isBusy = state.withLock { state in
            if state.isWriting { state.whenEmpty = work }
            return state.isWriting
        }
        if !isBusy { loop.post(work) }
    }

    // MARK: Input

    public func resume() {
        let hasPending = state.withLock { !$0.pending.isEmpty }
        // Only what is held back: the descriptor may block, and is read when the loop says that it has something.
        if hasPending { loop.post { [self] in _ = deliverPending() } }
    }

    /// Delivers what is held back, then what the descriptor has. On the loop's thread, when there is something.
    private func readInput() {
        guard let input, deliverPending(), !state.withLock({ $0.isClosed || $0.inputEnded }) else { return }
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        switch input.receive(into: &buffer) {
        case .bytes(0): endInput()
        case .bytes(let count):
            state.withLock { $0.pending = buffer[..<count] }
            _ = deliverPending()
        case .wouldBlock: break
        // A terminal that is gone answers EIO.
        case .failed: endInput()
        }
    }

    /// Whether nothing is held back any more. Reading rests while something is.
    private func deliverPending() -> Bool {
        while true {
            let (bytes, delivery) = state.withLock { state in
                (state.isClosed ? [] : Array(state.pending), state.delivery)
            }
            guard !bytes.isEmpty, let delivery else { break }
            let taken = delivery(bytes)
            let isStuck = state.withLock { state -> Bool in
                state.pending = state.pending.dropFirst(taken)
                guard taken == 0 else { return false }
                state.inputWatch?.setInterest([])
                return true
            }
            if isStuck { return false }
        }
        state.withLock { if !$0.inputEnded { $0.inputWatch?.setInterest(.readable) } }
        return true
    }

    private func endInput() {
        state.withLock { state in
            state.inputEnded = true
            state.inputWatch?.cancel()
            state.inputWatch = nil
        }
        event(.inputEnded)
    }

    /// Ends the stream: nothing more is read, what is still in the buffer is lost (`drain` first). When it returns, no
    /// callback runs or will run, unless it is called from one.
    public func close() {
        let drainers = state.withLock { state -> [WaitGate] in
            state.isClosed = true
            state.inputWatch?.cancel()
            state.outputWatch?.cancel()
            state.inputWatch = nil
            state.outputWatch = nil
            state.delivery = nil
            state.room = nil
            state.pending = []
            state.buffer.removeAll()
            state.whenEmpty = nil
            defer { state.drainers = [] }
            return state.drainers
        }
        for gate in drainers { gate.wake() }
        loop.barrier()
    }
}
