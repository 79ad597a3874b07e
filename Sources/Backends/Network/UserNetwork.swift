// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
import Logging
public import MachineCore
import Synchronization
public import SystemPackage

/// User-mode networking: the guest behind a router that needs no privileges, with DHCP, DNS and port forwards.
///
/// All that talks to the outside runs in a child process, `apus-net`, which shares a socket pair with this one and
/// nothing else. If it dies the guest has a dead network and goes on.
public final class UserNetwork: NetworkBackend {
    /// Counts since the network was made.
    public struct Statistics: Equatable, Sendable {
        /// Frames to the outside.
        public var sent: UInt64 = 0
        /// Frames that the child had no room for, or that are no frames.
        public var dropped: UInt64 = 0
        /// Frames that the guest took.
        public var received: UInt64 = 0
    }

    private struct State {
        var isEnded = false
        var statistics = Statistics()
        var buffer = [UInt8](repeating: 0, count: PacketChannel.largestFrame + 2)
    }

    /// How long the child may take to be ready, in milliseconds.
    private static let patience: UInt64 = 10_000

    private let state = Mutex(State())
    private let socket: FileDescriptor
    private let channel: PacketChannel
    private let child: ChildProcess
    private let pump = Mutex<FramePump?>(nil)
    private let loop: EventLoop
    private let failed: @Sendable (String) -> Void
    private let logger = Logger(label: "apus.net")
    /// What became of the child's sandbox, in a few words.
    public let sandbox: String
    /// What the host lacks for it, a sentence each.
    public let sandboxLacks: [String]

    /// Starts the child and waits until it serves; throws its reason where it cannot. `failed` is called once, on the
    /// loop's thread, if it ends before `close()`.
    public init(
        _ options: UserNetworkOptions, loop: EventLoop, program: FilePath? = nil,
        failed: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(HostError) {
        if let hostname = options.hostname { try UserNetworkOptions.check(hostname: hostname) }
        let pair = try Descriptor.socketPair(.packets)
        let (ours, theirs) = (pair.first.raw, pair.second.raw)
        let path: FilePath = if let program { program } else { try Self.program() }
        let started = try ChildProcess(path, options.arguments, descriptors: [3: theirs])
        // From here on the child has its end alone, so that each side hears of the other's end.
        try? pair.second.take().close()
        self.loop = loop
        self.failed = failed
        child = started
        channel = PacketChannel(ours)
        channel.enlargeBuffers()
        do throws(HostError) {
            let words = try Self.awaitReady(channel, started)
            sandbox = words.first ?? ""
            sandboxLacks = Array(words.dropFirst())
        } catch {
            started.signal(SIGKILL)
            _ = started.wait()
            throw error
        }
        socket = pair.first.take()
    }

    deinit { close() }

    /// `apus-net`: where APUS_NET_EXECUTABLE says, else beside this program (a build), else where `make install` puts it
    /// (`../libexec/apus`).
    public static func program() throws(HostError) -> FilePath {
        // SAFETY: the environment's own string, copied at once.
        if let path = unsafe getenv("APUS_NET_EXECUTABLE") { return unsafe FilePath(String(cString: path)) }
        let folders = HostProcess.executableFolder.map { [$0, $0.removingLastComponent().appending("libexec/apus")] }
        let candidates = (folders ?? []).map { $0.appending("apus-net") }
        // SAFETY: a NUL-terminated string for the call.
        if let found = candidates.first(where: { unsafe access($0.string, X_OK) == 0 }) { return found }
        throw HostError(
            "cannot find the program 'apus-net'" + (folders.map { " in '\($0[0])' and '\($0[1])'" } ?? ""),
            remedy: "install it there, or set APUS_NET_EXECUTABLE to its path")
    }

    /// What the child says of its sandbox when it serves: a line in short, then what is lacking.
    private static func awaitReady(_ channel: PacketChannel, _ child: ChildProcess) throws(HostError) -> [String] {
        var buffer = [UInt8](repeating: 0, count: PacketChannel.largestFrame + 2)
        let deadline = MonotonicTime.after(milliseconds: patience)
        while MonotonicTime.now < deadline {
            var entry = pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0)
            // SAFETY: one entry, the local.
            unsafe _ = poll(&entry, 1, 100)
            switch channel.receive(using: &buffer) {
            case .packet(.ready, let text):
                return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            case .packet(.notice, let text):
                Logger(label: "apus.net").notice("\(String(decoding: text, as: UTF8.self))")
            case .packet(.failure, let text):
                throw HostError("user networking: " + String(decoding: text, as: UTF8.self))
            case .ended: throw HostError("the network child \(child.wait()) before it served")
            case .packet, .nonsense, .none: continue
            }
        }
        throw HostError("the network child was not ready within \(patience / 1000) seconds")
    }

    // MARK: Frames

    public func send(_ frame: [UInt8]) {
        let isFrame = (14...PacketChannel.largestFrame).contains(frame.count)
        let result = isFrame && !state.withLock { $0.isEnded } ? channel.send(.frame, frame) : .wouldBlock
        state.withLock { state in
            if case .bytes = result { state.statistics.sent += 1 } else { state.statistics.dropped += 1 }
        }
    }

    public func resume() { pump.withLock { $0 }?.resume() }

    /// Sets who takes frames for the guest; false where the card has no room now. Once.
    public func connect(_ delivery: @escaping @Sendable ([UInt8]) -> Bool) throws(HostError) {
        let made = FramePump(socket, loop: loop, next: { [weak self] in self?.nextFrame() ?? .nothing }) {
            [weak self] in
            self?.childEnded()
        }
        pump.withLock { $0 = made }
        try made.connect(delivery)
    }

    /// Counts so far.
    public var statistics: Statistics {
        var result = state.withLock { $0.statistics }
        result.received = pump.withLock { $0 }?.received ?? 0
        return result
    }

    /// The child's process, or nil where it has ended.
    public var processID: Int32? { child.poll() == nil ? child.pid : nil }

    /// Ends the child and gives everything back.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.isEnded = true }
            return !state.isEnded
        }
        pump.withLock { $0 }?.close()
        pump.withLock { $0 = nil }
        guard isFirst else { return }
        _ = endChild()
        try? socket.close()
    }

    /// Ends the child, which ends by itself when its socket is shut; how. A confined process may signal none, and leaves
    /// one that is stopped to whoever stopped it.
    private func endChild() -> String {
        shutdown(socket.rawValue, CInt(SHUT_RDWR))
        let deadline = MonotonicTime.after(milliseconds: 2000)
        while child.poll() == nil, MonotonicTime.now < deadline { usleep(500) }
        if let ending = child.poll() { return "\(ending)" }
        guard !Sandbox.isEntered else { return "does not end" }
        child.signal(SIGKILL)
        return "\(child.wait())"
    }

    // MARK: On the loop's thread

    private func nextFrame() -> FramePump.Arrival {
        switch state.withLock({ channel.receive(using: &$0.buffer) }) {
        case .packet(.frame, let frame): return .frame(frame)
        case .packet(.notice, let text):
            logger.notice("\(String(decoding: text, as: UTF8.self))")
            return .other
        case .packet, .nonsense: return .other
        case .none: return .nothing
        case .ended: return .ended
        }
    }

    private func childEnded() {
        let sentence = "the network child \(endChild()): the guest has no network any more"
        logger.error("\(sentence)")
        failed(sentence)
    }
}
