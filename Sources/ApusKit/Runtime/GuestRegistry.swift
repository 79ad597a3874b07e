// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import Logging
public import SystemPackage

/// The guests that run on this host under this user: a folder each, `guests/ID` in the runtime folder.
///
/// A guest lives while its entry's `lock` is held; a process's number is never asked for that, for another process may
/// have it by now. Entries are made and cleared under the registry's own lock, aside from where others look, and moved
/// into place with their lock held: whoever looks finds a whole entry or none. The kernel gives up a dead process's
/// locks, so what is left of it is known to be, and the next one that looks clears it.
public struct GuestRegistry: Sendable {
    /// How long another process may be busy with the registry; it takes milliseconds.
    private static let patience: UInt64 = 10_000

    /// Where it is; other files of the runtime lie beside it.
    public let folder: RuntimeFolder

    /// The registry in `folder`.
    public init(folder: RuntimeFolder) { self.folder = folder }

    /// The registry in the user's runtime folder.
    public init() throws(VirtualMachineError) { self.init(folder: try RuntimeFolder()) }

    private var guests: FilePath { folder.path.appending("guests") }

    /// The runtime folder of the guest `id`.
    public func folder(of id: GuestIdentifier) -> FilePath { guests.appending(id.rawValue) }

    /// Where the guest `id` is controlled.
    public func controlSocket(of id: GuestIdentifier) -> FilePath { folder(of: id).appending("control.sock") }

    // MARK: Making

    /// Makes an entry for a guest like `draft`, with an identifier of its own, whose lock is held. Its name must be free.
    ///
    /// `admit` hears of the guests that run, and throws where there is no room for another: what it decides upon does
    /// not change before the entry is made.
    public func create(
        _ draft: GuestRecord, admit: ([GuestRecord]) throws(VirtualMachineError) -> Void = { _ in }
    ) throws(VirtualMachineError) -> GuestEntry {
        try withGuests { running throws(VirtualMachineError) in
            if let name = draft.name, let holder = running.first(where: { $0.name == name }) {
                throw VirtualMachineError(
                    .state,
                    "guest '\(name)' runs already (ID \(holder.id), process \(holder.processID)); stop it first, or "
                        + "choose another name")
            }
            try admit(running)
            var record = draft
            record.id = .random()
            return try makeEntry(record)
        }
    }

    /// Does `work` with the guests that run, while none can be added and none is cleared. Blocks for moments.
    public func withGuests<T>(
        _ work: ([GuestRecord]) throws(VirtualMachineError) -> T
    ) throws(VirtualMachineError) -> T {
        try locked { () throws(VirtualMachineError) in
            try clear()
            return try work(try entries())
        }
    }

    private func makeEntry(_ record: GuestRecord) throws(VirtualMachineError) -> GuestEntry {
        let aside = guests.appending(".\(record.id.rawValue)")
        do throws(HostError) {
            try Directory.make(aside)
            guard let lock = try LockFile.take(aside.appending(GuestEntry.lockName)) else {
                throw HostError("the lock of the new guest in '\(aside)' is held by another process")
            }
            try TextFile.replace(
                aside.appending(GuestEntry.recordName), with: JSONText.encode(record), isDurable: false)
            try Directory.rename(aside, to: folder(of: record.id))
            return GuestEntry(id: record.id, folder: folder(of: record.id), lock: lock)
        } catch {
            try? Directory.remove(aside)
            throw VirtualMachineError(error)
        }
    }

    // MARK: Looking

    /// The guests that run, the oldest first. Of one that is not among them, what it left is cleared.
    public func list() throws(VirtualMachineError) -> [GuestRecord] {
        // Looked at first: one that dies meanwhile is cleared and listed, not the other way round.
        let running = try entries()
        if try hasLeftovers() { try locked { () throws(VirtualMachineError) in try clear() } }
        return running.sorted { ($0.created, $0.id.rawValue) < ($1.created, $1.id.rawValue) }
    }

    /// The running guest called `text`: its name, its identifier or the beginning of one that fits no other.
    public func find(_ text: String) throws(VirtualMachineError) -> GuestRecord {
        let running = try list()
        if let found = running.first(where: { $0.name?.rawValue == text }) { return found }
        let fitting = GuestIdentifier.isPrefix(text) ? running.filter { $0.id.rawValue.hasPrefix(text) } : []
        if let found = fitting.first, fitting.count == 1 { return found }
        guard fitting.isEmpty else {
            throw VirtualMachineError(
                .state,
                "'\(text)' fits several guests: \(fitting.map(\.id.rawValue).joined(separator: ", ")); write more of it"
            )
        }
        throw VirtualMachineError(
            .state,
            "no guest '\(text)' runs; "
                + (running.isEmpty ? "none does" : "running are \(running.map(\.title).joined(separator: ", "))"))
    }

    /// The guest whose process is `number`, if it is one.
    public func guest(process number: Int32) throws(VirtualMachineError) -> GuestRecord? {
        try entries().first { $0.processID == number && HostProcess.startTime(of: number) == $0.processStart }
    }

    /// A guest of this user's that has the disk at `path`, other than the one that this process runs or is started for.
    static func holder(ofDisk path: FilePath) -> GuestRecord? {
        guard let disk = FileIdentity(following: path), let running = try? GuestRegistry().entries() else { return nil }
        let own = [HostProcess.number, HostProcess.parent]
        return running.first { guest in
            !own.contains(guest.processID)
                && guest.disks.contains { FileIdentity(following: FilePath($0.path)) == disk }
        }
    }

    /// Whether the guest `id` lives.
    public func isAlive(_ id: GuestIdentifier) throws(VirtualMachineError) -> Bool {
        do {
            return try LockFile.isHeld(folder(of: id).appending(GuestEntry.lockName))
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// The records of those that live.
    private func entries() throws(VirtualMachineError) -> [GuestRecord] {
        var records: [GuestRecord] = []
        for id in Directory.names(guests).compactMap(GuestIdentifier.init(rawValue:)) where try isAlive(id) {
            do {
                let text = try TextFile.read(
                    folder(of: id).appending(GuestEntry.recordName), limit: GuestEntry.recordLimit)
                let record = try JSONDecoder().decode(GuestRecord.self, from: Data(text.utf8))
                guard record.id == id, record.version == GuestRecord.currentVersion else {
                    throw VirtualMachineError(.host, "it is of another version (\(record.version))")
                }
                records.append(record)
            } catch {
                // It may just have ended and gone; if not, another version of Apus runs it.
                if try isAlive(id) {
                    Logger(label: "apus.registry").warning("guest \(id) has a record that cannot be read: \(error)")
                }
            }
        }
        return records
    }

    // MARK: Clearing

    private func hasLeftovers() throws(VirtualMachineError) -> Bool {
        for name in Directory.names(guests) {
            guard let id = GuestIdentifier(rawValue: name), try isAlive(id) else { return true }
        }
        return false
    }

    /// Removes what is no living guest's. Under the registry's lock, for an entry that is being made looks the same.
    private func clear() throws(VirtualMachineError) {
        ProcessorPool.clearStale(in: folder.path)
        for name in Directory.names(guests) {
            if let id = GuestIdentifier(rawValue: name) {
                if try isAlive(id) { continue }
                GuestJournal.noteLoss(of: id, in: folder.path)
            }
            ControlGroup.remove(notedIn: guests.appending(name))
            GuestRecord.clearSockets(in: guests.appending(name))
            do {
                try Directory.remove(guests.appending(name))
            } catch {
                throw VirtualMachineError(error)
            }
        }
    }

    /// Does `work` while no other process changes the registry. Blocks for moments.
    private func locked<T: ~Copyable>(
        _ work: () throws(VirtualMachineError) -> T
    ) throws(VirtualMachineError) -> T {
        let lock: LockFile
        do throws(HostError) {
            try Directory.make(guests)
            lock = try LockFile.wait(
                folder.path.appending("registry.lock"), milliseconds: GuestRegistry.patience)
        } catch {
            throw VirtualMachineError(error)
        }
        let result = try work()
        // Held until here.
        _ = consume lock
        return result
    }
}
