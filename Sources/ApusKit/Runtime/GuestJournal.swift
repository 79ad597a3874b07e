// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import Synchronization
import SystemPackage

/// Where a guest's process writes down what happens to it: one file of all guests in the runtime folder, a line an event.
///
/// Each line is one append of less than a page, so those of several processes do not mix. The file is open from the start
/// on, for a process in its sandbox opens nothing any more.
public final class GuestJournal: Sendable {
    /// A journal longer than this is begun anew by the next guest that starts, and the old one kept beside it.
    static let limit: Int64 = 1 << 20
    /// What a line may take: as much as the kernel writes in one piece.
    private static let lineLimit = 4000

    private let file: FileDescriptor
    private let record: GuestRecord
    private let wasPaused = Mutex(false)

    /// The journal in `folder`, for the guest that `record` is about.
    public init(_ folder: FilePath, record: GuestRecord) throws(VirtualMachineError) {
        self.record = record
        do throws(HostError) {
            let path = GuestJournal.path(in: folder)
            if let size = (try? Stat(path, followTargetSymlink: false))?.size, size > GuestJournal.limit {
                try Directory.rename(path, to: GuestJournal.oldPath(in: folder))
            }
            file = try Descriptor.open(path, .writeOnly, options: [.create, .append]).take()
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// The journal of the registry that `entry` is in, for its guest.
    convenience init(entry: GuestEntry, record: GuestRecord) throws(VirtualMachineError) {
        try self.init(entry.folder.removingLastComponent().removingLastComponent(), record: record)
    }

    deinit { try? file.close() }

    /// Writes down that the guest `id` is gone, if it was started and nothing says how it ended. `folder` is the runtime
    /// folder, where its entry still is.
    static func noteLoss(of id: GuestIdentifier, in folder: FilePath) {
        let entry = folder.appending("guests").appending(id.rawValue)
        guard let text = try? TextFile.read(entry.appending(GuestEntry.recordName), limit: 1 << 20),
            let record = try? JSONDecoder().decode(GuestRecord.self, from: Data(text.utf8)), record.id == id
        else { return }
        var reader = GuestJournalReader(folder: folder, since: Double(record.created), follows: false)
        let known = reader.rest().filter { $0.id == id }.map(\.kind)
        guard known.contains(.started), !known.contains(.ended), !known.contains(.lost) else { return }
        (try? GuestJournal(folder, record: record))?.write(.lost)
    }

    static func path(in folder: FilePath) -> FilePath { folder.appending("events.jsonl") }
    static func oldPath(in folder: FilePath) -> FilePath { folder.appending("events.old.jsonl") }

    /// Writes down `event`, if others than the machine's owner care. Where that fails there is nobody to tell.
    public func write(_ event: VirtualMachine.Event) {
        switch event {
        case .state(.running):
            let isResumed = wasPaused.withLock { wasPaused in
                defer { wasPaused = false }
                return wasPaused
            }
            write(isResumed ? .resumed : .started)
        case .state(.paused):
            wasPaused.withLock { $0 = true }
            write(.paused)
        case .state, .console: break
        // Its kind said: an event of this name would be written by this very function.
        case .restarted: write(GuestEvent.Kind.restarted)
        case .panicked(let text): write(.panicked, detail: text)
        case .ended(let end): write(.ended, detail: end.word, status: end.exitStatus)
        }
    }

    func write(_ kind: GuestEvent.Kind, detail: String? = nil, status: Int32? = nil) {
        let time = Double(MonotonicTime.sinceEpoch / 1_000_000) / 1000
        // A guest chooses the words of its crash, and each of their bytes may become six.
        let words = detail.map { String(decoding: $0.utf8.prefix(500), as: UTF8.self) }
        let event = GuestEvent(kind, of: record, time: time, detail: words, status: status)
        let line = ArraySlice(JSONText.line(event).utf8)
        if line.count <= GuestJournal.lineLimit { _ = file.transmit(line) }
    }
}
