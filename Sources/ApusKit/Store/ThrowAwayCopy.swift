// SPDX-License-Identifier: Apache-2.0

import Host
public import SystemPackage
import Synchronization

/// A copy of a disk for one run: whatever the guest writes is gone with it.
///
/// It is made in `scratch` of the data folder, where it can share the image's blocks, under a lock that goes with its
/// maker. Whoever has opened it unlinks it, and then the kernel gives its space back at the end of that process, however
/// it ends. A copy whose maker died before that is unlocked, and cleared by the next one that makes a copy.
public final class ThrowAwayCopy: Sendable {
    private struct State: ~Copyable {
        var lock: LockFile?
    }

    /// The file, until it is opened and unlinked.
    public let path: FilePath
    private let lockPath: FilePath
    private let state: Mutex<State>

    /// Copies `source`; blocks as long as that takes, which is little where the file system can share blocks.
    public init(of source: FilePath, dataFolder: FilePath) throws(VirtualMachineError) {
        let folder = dataFolder.appending("scratch")
        let name = GuestIdentifier.random().rawValue
        path = folder.appending("\(name).img")
        lockPath = folder.appending("\(name).lock")
        do throws(HostError) {
            try Directory.makeWithParents(folder)
            ThrowAwayCopy.clear(folder)
            // Waits for one who clears and looks at the lock just as it appears.
            let lock = try LockFile.wait(lockPath, milliseconds: 10_000)
            do throws(HostError) {
                try FileCopy.make(source, to: path)
            } catch {
                try? Directory.remove(lockPath)
                throw error
            }
            state = Mutex(State(lock: lock))
        } catch {
            throw VirtualMachineError(error)
        }
    }

    deinit { discard() }

    /// The disk for the machine that is to have it.
    public var disk: StorageDevice {
        var disk = StorageDevice(path: path.string)
        disk.isThrownAway = true
        return disk
    }

    /// Removes what is left of it. Who has it open keeps what is in it.
    public func discard() {
        state.withLock { state in
            guard let lock = state.lock.take() else { return }
            try? Directory.remove(path)
            try? Directory.remove(lockPath)
            _ = consume lock
        }
    }

    /// Removes the copies in `folder` whose makers are gone.
    static func clear(_ folder: FilePath) {
        // A listing may miss the lock beside a copy that it shows: ask for the lock of each.
        for name in Set(Directory.names(folder).compactMap { FilePath($0).stem }) {
            let lockPath = folder.appending("\(name).lock")
            guard let lock = try? LockFile.take(lockPath) else { continue }
            try? Directory.remove(folder.appending("\(name).img"))
            try? Directory.remove(lockPath)
            _ = consume lock
        }
    }
}
