// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

extension GuestStore {
    /// What a guest's folder calls the parts of its image.
    private enum Part {
        static let kernel = "kernel"
        static let initialRamdisk = "initrd"
        static let disk = "disk.img"
    }

    /// Keeps a new guest. Of `image` it gets parts of its own, so that a later build of the image does not change it: the
    /// kernel and RAM disk, and a copy of the disk. Where `configuration` names the image's files, the guest's stand then.
    ///
    /// Network cards of a copy (`isCopy`) get new addresses where a kept guest has theirs; otherwise the caller chose them.
    ///
    /// Blocks as long as a copy takes. Throws where a guest of this name is kept already.
    public func create(
        _ name: GuestName, image: GuestImage?, configuration: VirtualMachineConfiguration, isCopy: Bool = false
    ) throws(VirtualMachineError) -> KeptGuest {
        try configuration.validate()
        return try locked { () throws(VirtualMachineError) in
            guard FileIdentity(folder(of: name)) == nil else {
                throw VirtualMachineError(
                    .state,
                    "guest '\(name)' is kept already; start it with apus start \(name), or remove it first")
            }
            let aside = machines.appending(".\(name)")
            do throws(VirtualMachineError) {
                var configuration = configuration
                if isCopy { configuration.dropAddresses(in: addresses()) }
                let guest = try fill(aside, name, image, configuration)
                try onHost { () throws(HostError) in
                    try Directory.rename(aside, to: folder(of: name))
                    try Directory.synchronize(machines)
                }
                return guest
            } catch {
                try? Directory.remove(aside)
                throw error
            }
        }
    }

    /// The addresses of all network cards of guests that are kept.
    private func addresses() -> Set<MACAddress> {
        Set(list().flatMap { $0.configuration.networkDevices.compactMap(\.address) })
    }

    private func fill(
        _ aside: FilePath, _ name: GuestName, _ image: GuestImage?, _ configuration: VirtualMachineConfiguration
    ) throws(VirtualMachineError) -> KeptGuest {
        try onHost { () throws(HostError) in
            try Directory.make(aside)
            for (source, part) in GuestStore.parts(of: image) {
                let target = aside.appending(part)
                // Nobody writes to an image's kernel and RAM disk: a second name of the same file does.
                if part != Part.disk, try Directory.link(FilePath(source), to: target) { continue }
                try FileCopy.make(FilePath(source), to: target)
            }
        }
        let own = GuestStore.parts(of: image)
        let here = FilePath(FileManager.default.currentDirectoryPath)
        let parts = Set(own.values)
        var kept = configuration.changingPaths { path in
            own[path] ?? (parts.contains(path) ? path : here.pushing(FilePath(path)).string)
        }
        // A guest knows its network cards again by their addresses.
        kept.assignAddresses()
        let guest = KeptGuest(
            name: name, image: image?.name, created: Int64(MonotonicTime.sinceEpoch / 1_000_000_000),
            configuration: kept)
        try write(guest, in: aside)
        return guest
    }

    /// Paths of the image's files, and what they are called in a guest's folder.
    private static func parts(of image: GuestImage?) -> [String: String] {
        let parts = [
            (image?.kernel, Part.kernel), (image?.initialRamdisk, Part.initialRamdisk), (image?.disk, Part.disk),
        ]
        return Dictionary(uniqueKeysWithValues: parts.compactMap { path, part in path.map { ($0, part) } })
    }

    /// Gives a guest that is kept another configuration, which counts from its next start on.
    public func replace(_ guest: KeptGuest) throws(VirtualMachineError) {
        try guest.configuration.validate()
        try locked { () throws(VirtualMachineError) in
            guard FileIdentity(folder(of: guest.name)) != nil else { throw unknown(guest.name) }
            try write(guest, in: folder(of: guest.name))
        }
    }

    private func write(_ guest: KeptGuest, in folder: FilePath) throws(VirtualMachineError) {
        try onHost { () throws(HostError) in
            try TextFile.replace(folder.appending(GuestStore.fileName), with: guest.text, isDurable: true)
        }
    }

    /// Forgets the guest called `name`, its disks included. The caller sees to it that it does not run.
    public func remove(_ name: GuestName) throws(VirtualMachineError) {
        try locked { () throws(VirtualMachineError) in
            guard FileIdentity(folder(of: name)) != nil else { throw unknown(name) }
            try onHost { () throws(HostError) in
                let aside = machines.appending(".\(name)")
                try Directory.rename(folder(of: name), to: aside)
                try Directory.synchronize(machines)
                try Directory.remove(aside)
            }
        }
    }

    /// No guest of this name is kept; which are.
    func unknown(_ name: GuestName) -> VirtualMachineError {
        let kept = list().map(\.name.rawValue)
        return VirtualMachineError(
            .state,
            "no guest '\(name)' is kept; " + (kept.isEmpty ? "none is" : "kept are \(kept.joined(separator: ", "))"))
    }

    /// Does `work` while no other process changes the store, and without what a killed one left aside.
    private func locked<T>(_ work: () throws(VirtualMachineError) -> T) throws(VirtualMachineError) -> T {
        let lock: LockFile
        do throws(HostError) {
            try Directory.makeWithParents(machines)
            lock = try LockFile.wait(machines.appending(".lock"), milliseconds: GuestStore.patience)
        } catch {
            throw VirtualMachineError(error)
        }
        try onHost { () throws(HostError) in
            for name in Directory.names(machines) where name.hasPrefix(".") && name != ".lock" {
                try Directory.remove(machines.appending(name))
            }
        }
        let result = try work()
        // Held until here.
        _ = consume lock
        return result
    }

    private func onHost(_ work: () throws(HostError) -> Void) throws(VirtualMachineError) {
        do {
            try work()
        } catch {
            throw VirtualMachineError(error)
        }
    }
}
