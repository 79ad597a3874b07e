// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Machines
import Synchronization

/// A console that several look at: where the configuration says it ends, a log, and any number of attached readers,
/// who may type too.
///
/// Where it ends is served as ever and may hold the guest's output back. All others are served on the loop of the
/// machine's clients: the vCPU that writes hands the bytes over without a lock, and what that loop is too far behind with
/// is lost to them and counted.
final class ConsoleFan: StreamBackend {
    /// Hears what the guest writes, on the clients' loop; must not wait.
    typealias Reader = @Sendable ([UInt8]) -> Void

    /// Bytes on their way to the clients' loop.
    private static let mostBacklog = 256 << 10
    /// Bytes typed by attached readers that the guest has not taken.
    private static let typedAhead = 4096

    /// What the clients' loop knows.
    private struct State {
        /// The last of what the guest wrote.
        var recent: [UInt8] = []
        var readers: [Int: Reader] = [:]
        var next = 0
    }

    /// What the devices' loop knows.
    private struct Input {
        var delivery: StreamAttachment.Delivery?
        var pending: [UInt8] = []
    }

    private let end: OpenStream?
    private let clients: LoopQueue
    private let devices: LoopQueue
    private let log: ConsoleLog?
    private let state = Mutex(State())
    private let input = Mutex(Input())
    private let hasPending = Atomic<Bool>(false)
    /// To the clients' loop.
    private let ring = ByteRing(capacity: mostBacklog)
    /// Of the vCPUs among themselves, which may write to one console at once; the clients' loop never takes it.
    private let writing = Mutex<Void>(())
    private let lostBytes = Atomic<UInt64>(0)

    /// A console that ends at `end`, or nowhere.
    init(_ end: OpenStream?, log: ConsoleLog?, clients: LoopQueue, devices: LoopQueue) {
        self.end = end
        self.log = log
        self.clients = clients
        self.devices = devices
    }

    /// What the machine is given.
    var attachment: StreamAttachment {
        StreamAttachment(self) { [weak self] delivery, room in
            self?.input.withLock { $0.delivery = delivery }
            self?.end?.connect(delivery, room)
        }
    }

    /// Bytes that attached readers and the log did not get.
    var lost: UInt64 { lostBytes.load(ordering: .relaxed) }

    // MARK: From the guest, on a vCPU's thread

    func send(_ bytes: [UInt8]) -> Int {
        let taken = end?.backend.send(bytes) ?? bytes.count
        guard taken > 0 else { return 0 }
        let (kept, wasEmpty) = writing.withLock { _ in ring.put(bytes[..<taken]) }
        if kept < taken { lostBytes.wrappingAdd(UInt64(taken - kept), ordering: .relaxed) }
        if wasEmpty { clients.post { [self] in spread() } }
        return taken
    }

    func resume() {
        end?.backend.resume()
        if hasPending.load(ordering: .acquiring) { devices.post { [weak self] in self?.deliver() } }
    }

    // MARK: Readers, on the clients' loop

    /// Shows everybody what has come, once; what comes meanwhile has its turn after the loop's other work.
    private func spread() {
        let bytes = ring.take()
        guard !bytes.isEmpty else { return }
        clients.post { [self] in spread() }
        let readers = state.withLock { state in
            state.recent += bytes
            // Cut in halves, so that not every byte moves all the others.
            if state.recent.count > 2 * ControlProtocol.consoleBacklog {
                state.recent.removeFirst(state.recent.count - ControlProtocol.consoleBacklog)
            }
            return Array(state.readers.values)
        }
        log?.write(bytes)
        for reader in readers { reader(bytes) }
    }

    /// Adds a reader; the last of what the guest wrote before, and the number to remove it by.
    func attach(_ reader: @escaping Reader) -> (number: Int, recent: [UInt8]) {
        state.withLock { state in
            state.readers[state.next] = reader
            defer { state.next += 1 }
            return (state.next, Array(state.recent.suffix(ControlProtocol.consoleBacklog)))
        }
    }

    func detach(_ number: Int) { state.withLock { _ = $0.readers.removeValue(forKey: number) } }

    /// The last `count` lines, without what would steer a terminal.
    func lastLines(_ count: Int) -> [String] {
        let text = state.withLock { Array($0.recent.suffix(ControlProtocol.consoleBacklog)) }
        let lines = text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        return lines.suffix(count).map { line in
            String(
                decoding: line.prefix(400).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        }
    }

    // MARK: To the guest

    /// Types `bytes`; `done` is called, on the clients' loop, when more may come.
    func type(_ bytes: [UInt8], done: @escaping @Sendable () -> Void) {
        devices.post { [self] in
            input.withLock { input in
                // What a guest that does not read has no room for is lost, as at any terminal.
                input.pending += bytes.prefix(max(0, ConsoleFan.typedAhead - input.pending.count))
            }
            deliver()
            clients.post(done)
        }
    }

    /// On the devices' loop.
    private func deliver() {
        while true {
            let (bytes, delivery) = input.withLock { ($0.pending, $0.delivery) }
            guard !bytes.isEmpty, let delivery else { break }
            // Before the delivery: a guest that makes room after it is heard of by `resume`.
            hasPending.store(true, ordering: .sequentiallyConsistent)
            let taken = delivery(bytes)
            let isEmpty = input.withLock { input in
                input.pending.removeFirst(min(taken, input.pending.count))
                return input.pending.isEmpty
            }
            if isEmpty { hasPending.store(false, ordering: .releasing) }
            guard taken > 0 else { break }
        }
    }
}
