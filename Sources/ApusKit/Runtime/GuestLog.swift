// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What a guest wrote to its console, as its process keeps it: the older part and the newer, each of bounded size.
public struct GuestLog: ~Copyable {
    /// How long it sleeps where nothing is new.
    private static let pace = Duration.milliseconds(100)

    private var older: FollowedFile?
    private var newer: FollowedFile
    /// The guest whose end ends the log; nil where it does not run.
    private let guest: Guest?

    /// The log in the file at `path`, from its `tail` last lines on, or whole. One that follows `guest` goes on until
    /// that ends.
    init(_ path: FilePath, tail: Int?, following guest: Guest?) {
        let previous = FilePath("\(path).1")
        newer = FollowedFile(path)
        self.guest = guest
        // What the newer part has too few lines for is in the older one.
        let inNewer = tail.map { newer.skip(toLast: $0) }
        guard FileIdentity(previous) != nil, tail.map({ (inNewer ?? 0) < $0 }) ?? true else { return }
        var file = FollowedFile(previous)
        if let tail { _ = file.skip(toLast: tail - (inNewer ?? 0)) }
        older = consume file
    }

    /// The next bytes; nil at the end.
    public mutating func next() async -> [UInt8]? {
        if let bytes = older?.next() {
            if !bytes.isEmpty { return bytes }
            older = nil
        }
        while true {
            let wasAlive = guest?.isAlive ?? false
            let bytes = newer.next()
            if !bytes.isEmpty { return bytes }
            // Looked at before the last read, so that nothing written before the end is missed.
            guard wasAlive, !Task.isCancelled else { return nil }
            try? await Task.sleep(for: GuestLog.pace)
        }
    }
}

extension Guests {
    /// What the guest called `text` wrote to its console.
    public func log(
        _ text: String, tail: Int?, follows: Bool
    ) async throws(VirtualMachineError) -> GuestLog {
        if let record = try? registry.find(text) {
            guard let path = record.consoleLog else {
                throw VirtualMachineError(
                    .state,
                    "guest '\(record.title)' keeps no log: its console is on the terminal of who started it; start it "
                        + "with --detach or --name")
            }
            let guest = Guest(record: record, registry: registry)
            return GuestLog(FilePath(path), tail: tail, following: follows ? guest : nil)
        }
        guard let name = GuestName(rawValue: text), try store.guest(named: name) != nil else {
            throw try await unknown(text)
        }
        return GuestLog(store.consoleLog(of: name), tail: tail, following: nil)
    }
}
