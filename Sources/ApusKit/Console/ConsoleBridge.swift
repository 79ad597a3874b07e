// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import Synchronization
import SystemPackage

/// Between this process's stdin and stdout and the console of a machine in another process, whose other end is a socket.
/// The escapes and the monitor live here, where the terminal is.
final class ConsoleBridge: Sendable {
    private struct State: ~Copyable {
        var far: Descriptor?
        var isStarted = false
        var isClosed = false
    }

    private let local: OpenStream
    private let near: Descriptor
    private let socket: DescriptorStream
    private let hasEnded: EndSignal
    private let state: Mutex<State>

    private final class EndSignal: Sendable {
        let gate = WaitGate()
        let isOver = Atomic<Bool>(false)

        func end() {
            isOver.store(true, ordering: .releasing)
            gate.wake()
        }
    }

    /// Opens the standard streams, served by `loop`.
    init(loop: EventLoop) throws(HostError) {
        let pair = try Descriptor.socketPair(.stream)
        let raw = pair.first.raw
        try raw.setNonBlocking(true)
        local = try OpenStream(.standardStreams, loop: loop)
        let ended = EndSignal()
        hasEnded = ended
        // A machine that takes nothing more may have written something that is still to be read.
        socket = DescriptorStream(loop: loop, socket: raw) { event in if event == .inputEnded { ended.end() } }
        near = Descriptor(owning: pair.first.take())
        state = Mutex(State(far: Descriptor(owning: pair.second.take())))
    }

    /// The machine's end, for its process.
    var farEnd: FileDescriptor? { state.withLock { $0.far?.raw } }

    /// The machine's process has its end; here it goes.
    func closeFarEnd() { state.withLock { $0.far = nil } }

    /// Sets what the escapes do.
    func setActions(_ actions: ConsoleRelay.Actions) { local.relay?.setActions(actions) }

    /// Passes bytes on from here on; a terminal becomes raw.
    func start() throws(HostError) {
        state.withLock { $0.isStarted = true }
        try local.start()
        local.connect({ [socket] bytes in socket.send(bytes) }, { [socket] in socket.resume() })
        try socket.connect { [local] bytes in
            local.backend.send(bytes)
        } room: { [local] in
            local.backend.resume()
        }
    }

    /// The user wants an end: nobody waits for ever for who reads stdout.
    func hurry() { local.hurry() }

    /// The machine is over: passes on what it wrote last, and gives the terminal back. Waits; once.
    func close() {
        let (isFirst, isStarted) = state.withLock { state in
            defer { state.isClosed = true }
            return (!state.isClosed, state.isStarted)
        }
        guard isFirst else { return }
        local.beginEnd()
        while isStarted, !hasEnded.isOver.load(ordering: .acquiring), !local.isOutOfPatience {
            hasEnded.gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 250))
        }
        local.close()
        socket.close()
    }
}
