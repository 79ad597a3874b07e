// SPDX-License-Identifier: Apache-2.0

import Host

/// The guests of this user on this host: those that run, and those that are kept under their names.
public struct Guests: Sendable {
    let registry: GuestRegistry
    let store: GuestStore

    /// The user's, in the runtime folder and the data folder.
    public init() throws(VirtualMachineError) {
        try self.init(registry: GuestRegistry(), store: GuestStore())
    }

    init(registry: GuestRegistry, store: GuestStore) throws(VirtualMachineError) {
        self.registry = registry
        self.store = store
    }

    // MARK: Looking

    /// The guests that run, the oldest first; then, with `all`, those that are kept and do not.
    public func list(all: Bool) async throws(VirtualMachineError) -> [GuestSummary] {
        let running = try registry.list()
        let states = await withTaskGroup(of: (GuestIdentifier, MachineStatus?).self) { group in
            for record in running {
                group.addTask {
                    let guest = Guest(record: record, registry: registry)
                    let status = await guest.status()
                    // A killed process holds its lock until the host has taken its memory back.
                    if status == nil { _ = await guest.hasGone(within: .seconds(1)) }
                    return (record.id, status)
                }
            }
            return await group.reduce(into: [GuestIdentifier: MachineStatus]()) { $0[$1.0] = $1.1 }
        }
        var guests: [GuestSummary] = []
        for record in running {
            // It may have ended while it was asked.
            if states[record.id] == nil, try !registry.isAlive(record.id) { continue }
            guests.append(GuestSummary(record, states[record.id]))
        }
        guard all else { return guests }
        let names = Set(running.compactMap(\.name))
        return guests + store.list().filter { !names.contains($0.name) }.map(GuestSummary.init)
    }

    /// The running guest called `text`: its name, its ID or the beginning of one that fits no other. Where it is kept and
    /// does not run, the error says so.
    public func guest(_ text: String) throws(VirtualMachineError) -> Guest {
        do {
            return Guest(record: try registry.find(text), registry: registry)
        } catch {
            guard let name = GuestName(rawValue: text), try store.guest(named: name) != nil else { throw error }
            throw VirtualMachineError(.state, "guest '\(name)' does not run; start it with apus start \(name)")
        }
    }

    /// Whether a guest is kept under `name`.
    public func isKept(_ name: GuestName) -> Bool { store.has(name) }

    /// The guest that is kept as `text`, whether it runs or not.
    public func kept(_ text: String) throws(VirtualMachineError) -> KeptGuest {
        let name = try keptName(text)
        guard let guest = try store.guest(named: name) else { throw store.unknown(name) }
        return guest
    }

    /// The name under which the guest `text` is kept: that name, or the ID of a run of it.
    private func keptName(_ text: String) throws(VirtualMachineError) -> GuestName {
        if let name = GuestName(rawValue: text), try store.guest(named: name) != nil { return name }
        let running = try registry.list().first { $0.isKept && $0.id.rawValue.hasPrefix(text) && !text.isEmpty }
        if let name = running?.name { return name }
        return try GuestName(parsing: text)
    }

    /// Waits for the end of the guest called `text`; of one that is kept and does not run, the end of its last run. Nil
    /// where its process went without saying how.
    public func wait(_ text: String) async throws(VirtualMachineError) -> VirtualMachineEnd? {
        guard let running = try? registry.find(text) else {
            if let name = GuestName(rawValue: text), let kept = try store.guest(named: name), kept.hasRun {
                return kept.lastEnd
            }
            _ = try guest(text)
            return nil
        }
        if let end = await Guest(record: running, registry: registry).wait() { return end }
        guard running.isKept, let name = running.name else { return nil }
        return try store.guest(named: name)?.lastEnd
    }
}
