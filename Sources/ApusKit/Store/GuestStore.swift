// SPDX-License-Identifier: Apache-2.0

import Host
import Images
import Logging
public import SystemPackage

/// The guests that are kept: a folder each, `machines/NAME` in the data folder, with the configuration, the parts of the
/// image that it was made from, and what its runs leave.
///
/// A folder is made aside, under the store's lock, and moved into place when it is whole; a removed one is moved aside
/// first. Whoever looks finds a whole guest or none, and what a killed process left aside goes with the next change.
public struct GuestStore: Sendable {
    /// How long another process may take to copy a disk.
    static let patience: UInt64 = 600_000
    static let fileName = "machine.json"
    static let fileLimit = 1 << 20

    /// The user's data folder.
    public let dataFolder: FilePath

    /// The store in `dataFolder`.
    public init(dataFolder: FilePath) { self.dataFolder = dataFolder }

    /// The store in the user's data folder.
    public init() throws(VirtualMachineError) {
        do {
            self.init(dataFolder: try DataFolder.path())
        } catch {
            throw VirtualMachineError(error)
        }
    }

    var machines: FilePath { dataFolder.appending("machines") }

    /// The folder of the guest called `name`.
    public func folder(of name: GuestName) -> FilePath { machines.appending(name.rawValue) }

    /// Where what the guest writes to its console is kept.
    public func consoleLog(of name: GuestName) -> FilePath { folder(of: name).appending("console.log") }

    /// Where the end of its last run is written.
    public func endFile(of name: GuestName) -> FilePath { folder(of: name).appending("end.json") }

    private func file(of name: GuestName) -> FilePath { folder(of: name).appending(GuestStore.fileName) }

    // MARK: Looking

    /// Every guest that is kept, by name. One whose file cannot be read is left out, with a line in the log.
    public func list() -> [KeptGuest] {
        Directory.names(machines).sorted().compactMap(GuestName.init(rawValue:)).compactMap { name in
            do throws(VirtualMachineError) {
                return try guest(named: name)
            } catch {
                Logger(label: "apus.store").warning("\(error.description)")
                return nil
            }
        }
    }

    /// Whether a guest is kept under `name`, be its file good or not.
    public func has(_ name: GuestName) -> Bool { FileIdentity(folder(of: name)) != nil }

    /// The guest called `name`; nil where none is kept under it.
    public func guest(named name: GuestName) throws(VirtualMachineError) -> KeptGuest? {
        guard FileIdentity(folder(of: name)) != nil else { return nil }
        let text: String
        do throws(HostError) {
            text = try TextFile.read(file(of: name), limit: GuestStore.fileLimit)
        } catch {
            // Removed just now, by another process.
            guard FileIdentity(folder(of: name)) != nil else { return nil }
            throw VirtualMachineError(error)
        }
        var guest = try KeptGuest(parsing: text, path: file(of: name))
        guard guest.name == name else {
            throw VirtualMachineError(
                .configuration,
                "'\(file(of: name))' says that its guest is called '\(guest.name)'; the name is the folder's: '\(name)'"
            )
        }
        guest.hasRun = FileIdentity(endFile(of: name)) != nil
        guest.lastEnd = GuestEnding.read(endFile(of: name))
        return guest
    }
}
