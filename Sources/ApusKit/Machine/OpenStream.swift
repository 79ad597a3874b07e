// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import Machines
import Synchronization
import SystemPackage

/// The host's end of a serial port or console, open.
final class OpenStream: Sendable {
    private struct State: ~Copyable {
        var rawMode: Terminal.RawMode?
    }

    /// Takes what the guest writes.
    let backend: any StreamBackend
    /// Whether it is on the caller's own streams.
    let isStandard: Bool
    /// Where others find it, if it has a name of its own.
    let name: String?
    /// Does what the user's escapes ask, where a person types.
    let relay: ConsoleRelay?

    private let link: @Sendable (@escaping StreamAttachment.Delivery, @escaping StreamAttachment.Room) -> Void
    private let terminal: Terminal?
    private let drain: @Sendable () -> Void
    private let end: @Sendable () -> Void
    private let state = Mutex(State())

    /// How long a reader may take for what the guest wrote last, in milliseconds.
    private static let patience: UInt64 = 10_000

    private static func soon() -> UInt64 { MonotonicTime.after(milliseconds: 250) }

    private let haste = Haste()

    /// The user wants the machine's end: a reader has the usual patience from now on, and none after a second call.
    func hurry() { haste.hurry() }

    /// The end has come: a terminal that was stopped does not hold the process for ever.
    func beginEnd() { if terminal != nil { haste.begin() } }

    /// Whether a reader has had its time.
    var isOutOfPatience: Bool { haste.isOver(patience: Self.patience) }

    /// How much the end is wanted: since when, and how often it was asked for.
    private final class Haste: Sendable {
        private let state = Mutex((since: UInt64?.none, calls: 0))

        func begin() { state.withLock { $0.since = $0.since ?? MonotonicTime.now } }

        func hurry() {
            begin()
            state.withLock { $0.calls += 1 }
        }

        func isOver(patience: UInt64) -> Bool {
            let (since, calls) = state.withLock { $0 }
            guard let since else { return false }
            return calls > 1 || MonotonicTime.now &- since > patience * 1_000_000
        }
    }

    /// What the machine is given.
    var attachment: StreamAttachment { StreamAttachment(backend, connect: link) }

    /// Sets who takes what comes in, and who hears that there is room again. Once.
    func connect(_ delivery: @escaping StreamAttachment.Delivery, _ room: @escaping StreamAttachment.Room) {
        link(delivery, room)
    }

    /// The other end of `relay`, a socket to the process whose streams they are; nil throws all away.
    init(relayedBy relay: FileDescriptor?, loop: EventLoop) {
        let stream = DescriptorStream(loop: loop, relay: relay)
        backend = stream
        // A socket that cannot be watched has nothing for the guest.
        link = { delivery, room in try? stream.connect(delivery, room: room) }
        isStandard = true
        (name, self.relay, terminal) = (nil, nil, nil)
        let haste = haste
        drain = { while !haste.isOver(patience: Self.patience), !stream.drain(until: Self.soon()) {} }
        end = { stream.close() }
    }

    /// Opens `streamEnd`, served by `loop`.
    init(_ streamEnd: StreamEnd, loop: EventLoop) throws(HostError) {
        isStandard = streamEnd == .standardStreams
        switch streamEnd {
        case .standardStreams:
            let stream = DescriptorStream(loop: loop, input: .standardInput, output: .standardOutput)
            let terminal = Terminal(.standardInput)
            let relay = ConsoleRelay(stream, hasEscapes: terminal != nil)
            backend = relay
            link = { delivery, room in
                relay.connect(delivery)
                // A stdin that cannot be watched, being closed, has nothing for the guest.
                try? stream.connect({ bytes in relay.receive(bytes) }, room: room)
            }
            name = nil
            (self.relay, self.terminal) = (relay, terminal)
            // A reader that is slow gets everything, unless the user wants an end; a terminal that was stopped does not
            // hold the process for ever.
            let haste = haste
            drain = {
                if terminal != nil { haste.begin() }
                while !haste.isOver(patience: Self.patience), !stream.drain(until: Self.soon()) {}
            }
            end = { stream.close() }
        case .file(let path):
            let file = try FileConsole(FilePath(path), loop: loop)
            backend = file
            link = { _, _ in }
            (name, relay, terminal) = (nil, nil, nil)
            drain = { file.drain(until: MonotonicTime.after(milliseconds: Self.patience)) }
            end = { file.close() }
        case .unixSocket(let path):
            let socket = try UnixConsole(FilePath(path), loop: loop)
            backend = socket
            link = { delivery, room in socket.connect(delivery, room: room) }
            (name, relay, terminal) = (nil, nil, nil)
            drain = {}
            end = { socket.close() }
        case .pseudoTerminal:
            let pseudo = try PtyConsole(loop: loop)
            backend = pseudo
            link = { delivery, room in try? pseudo.connect(delivery, room: room) }
            name = pseudo.path.string
            (relay, terminal) = (nil, nil)
            drain = {}
            end = { pseudo.close() }
        case .memory(let isShown):
            // What is kept, the console's fan keeps. A stderr that nobody reads loses what is shown there.
            let stream = DescriptorStream(loop: loop, input: nil, output: isShown ? .standardError : nil)
            backend = LossyStream(stream)
            link = { _, _ in }
            (name, relay, terminal) = (nil, nil, nil)
            drain = { stream.drain(until: MonotonicTime.after(milliseconds: Self.patience)) }
            end = { stream.close() }
        }
    }

    /// Puts a terminal into raw mode, so that each key goes to the guest.
    func start() throws(HostError) {
        guard let terminal else { return }
        var entered: Terminal.RawMode? = try terminal.enterRawMode()
        state.withLock { $0.rawMode = entered.take() }
    }

    /// Writes out what is left, and gives back what was taken.
    func close() {
        drain()
        end()
        state.withLock { $0.rawMode = nil }
    }
}

/// A stream that takes all it is given, whatever becomes of it.
private final class LossyStream: StreamBackend {
    private let stream: DescriptorStream

    init(_ stream: DescriptorStream) { self.stream = stream }

    func send(_ bytes: [UInt8]) -> Int {
        _ = stream.send(bytes)
        return bytes.count
    }

    func resume() {}
}

extension DescriptorStream {
    /// A stream over the socket `relay`; without one, a stream from and to nowhere.
    fileprivate convenience init(loop: EventLoop, relay: FileDescriptor?) {
        if let relay {
            self.init(loop: loop, socket: relay)
        } else {
            self.init(loop: loop, input: nil, output: nil)
        }
    }
}
