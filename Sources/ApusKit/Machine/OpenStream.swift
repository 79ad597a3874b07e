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

    /// What the machine is given.
    let attachment: StreamAttachment
    /// Where others find it, if it has a name of its own.
    let name: String?
    /// Does what the user's escapes ask, where a person types.
    let relay: ConsoleRelay?
    /// What is kept, where the stream goes nowhere else.
    let memory: MemoryStream?

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

    /// Opens `streamEnd`, served by `loop`.
    init(_ streamEnd: StreamEnd, loop: EventLoop) throws(HostError) {
        switch streamEnd {
        case .standardStreams:
            let stream = DescriptorStream(loop: loop, input: .standardInput, output: .standardOutput)
            let terminal = Terminal(.standardInput)
            let relay = ConsoleRelay(stream, hasEscapes: terminal != nil)
            attachment = StreamAttachment(relay) { delivery, room in
                relay.connect(delivery)
                // A stdin that cannot be watched, being closed, has nothing for the guest.
                try? stream.connect({ bytes in relay.receive(bytes) }, room: room)
            }
            (name, memory) = (nil, nil)
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
            attachment = StreamAttachment(file) { _, _ in }
            (name, relay, memory, terminal) = (nil, nil, nil, nil)
            drain = { file.drain(until: MonotonicTime.after(milliseconds: Self.patience)) }
            end = { file.close() }
        case .unixSocket(let path):
            let socket = try UnixConsole(FilePath(path), loop: loop)
            attachment = StreamAttachment(socket) { delivery, room in socket.connect(delivery, room: room) }
            (name, relay, memory, terminal) = (nil, nil, nil, nil)
            drain = {}
            end = { socket.close() }
        case .pseudoTerminal:
            let pseudo = try PtyConsole(loop: loop)
            attachment = StreamAttachment(pseudo) { delivery, room in try? pseudo.connect(delivery, room: room) }
            name = pseudo.path.string
            (relay, memory, terminal) = (nil, nil, nil)
            drain = {}
            end = { pseudo.close() }
        case .memory(let isShown):
            let copy: (@Sendable ([UInt8]) -> Void)? = isShown ? OpenStream.show : nil
            let memory = MemoryStream(copy: copy)
            attachment = StreamAttachment(memory) { _, _ in }
            (name, relay, terminal) = (nil, nil, nil)
            self.memory = memory
            drain = {}
            end = {}
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

    @Sendable private static func show(_ bytes: [UInt8]) {
        _ = try? FileDescriptor.standardError.writeAll(bytes)
    }
}
