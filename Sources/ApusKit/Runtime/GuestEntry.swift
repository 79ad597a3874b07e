// SPDX-License-Identifier: Apache-2.0

import Host
public import SystemPackage
import Synchronization

/// A running guest's place in the registry: its folder, and the lock that says that it lives.
///
/// The lock belongs to an open file that the one who starts the guest shares with the guest's process, and is gone when
/// both have closed it: there is no moment at which a guest is without it, and no end of a process that leaves it.
public final class GuestEntry: Sendable {
    private struct State: ~Copyable {
        var lock: LockFile?
    }

    /// Which guest it is.
    public let id: GuestIdentifier
    /// The guest's runtime folder.
    public let folder: FilePath
    /// The open file that is locked; a child that inherits it holds the lock too.
    public let lockDescriptor: FileDescriptor
    private let state: Mutex<State>

    init(id: GuestIdentifier, folder: FilePath, lock: consuming LockFile) {
        self.id = id
        self.folder = folder
        lockDescriptor = lock.raw
        state = Mutex(State(lock: lock))
    }

    /// The entry in `folder`, whose lock this process has inherited as `lock`.
    public static func adopt(folder: FilePath, lock: FileDescriptor) throws(VirtualMachineError) -> GuestEntry {
        guard let id = folder.lastComponent.flatMap({ GuestIdentifier(rawValue: $0.string) }) else {
            throw VirtualMachineError(.configuration, "'\(folder)' is no guest's runtime folder")
        }
        do {
            let inherited = try LockFile(inherited: lock, path: folder.appending(GuestEntry.lockName))
            return GuestEntry(id: id, folder: folder, lock: inherited)
        } catch {
            throw VirtualMachineError(error)
        }
    }

    static let lockName = "lock"
    static let recordName = "record.json"
    static let recordLimit = 1 << 20

    /// Where the guest is controlled.
    public var controlSocket: FilePath { folder.appending("control.sock") }

    /// Where a guest that is not kept has what it wrote to its console.
    public var consoleLog: FilePath { folder.appending("console.log") }

    /// Makes `record` what others find of this guest, at once and whole.
    public func publish(_ record: GuestRecord) throws(VirtualMachineError) {
        precondition(record.id == id, "a record is published in its own guest's entry")
        do {
            try TextFile.replace(
                folder.appending(GuestEntry.recordName), with: JSONText.encode(record), isDurable: false)
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Writes into the journal that the guest's process is gone without having said why.
    func noteLoss() { GuestJournal.noteLoss(of: id, in: folder.removingLastComponent().removingLastComponent()) }

    /// Takes the guest out of the registry: its folder with all that is in it, then the lock. A process that may no
    /// longer write there leaves it to the next one that looks.
    public func remove() {
        // Its process is gone where another one does this; the group goes with it.
        ControlGroup.remove(notedIn: folder)
        GuestRecord.clearSockets(in: folder)
        // Away in one step first: nobody shall find a folder without its record. What then stays is cleared by name.
        let gone = folder.removingLastComponent().appending(".\(id.rawValue)")
        if (try? Directory.rename(folder, to: gone)) != nil { try? Directory.remove(gone) }
        close()
    }

    /// Lets go of the lock, which then belongs to the guest's process alone.
    public func close() { state.withLock { $0.lock = nil } }
}
