// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

extension Guests {
    // MARK: Making

    /// Keeps a new guest of `configuration`, made from `image` where there is one; it does not run yet. Where the
    /// configuration may be a copy of another guest's, its network cards get addresses that no kept guest has.
    public func create(
        _ name: GuestName, image: GuestImage?, configuration: VirtualMachineConfiguration, isCopy: Bool = false
    ) throws(VirtualMachineError) -> KeptGuest {
        try store.create(name, image: image, configuration: configuration, isCopy: isCopy)
    }

    /// What the file at `path` describes, as `KeptGuest.text` writes it, with changes.
    public func read(file path: String) throws(VirtualMachineError) -> KeptGuest {
        let text: String
        do throws(HostError) {
            text = try TextFile.read(FilePath(path), limit: GuestStore.fileLimit)
        } catch {
            throw VirtualMachineError(error)
        }
        return try KeptGuest(parsing: text, path: FilePath(path))
    }

    /// Gives a kept guest another configuration, which counts from its next start on; true if it runs now.
    public func replace(_ guest: KeptGuest) throws(VirtualMachineError) -> Bool {
        try store.replace(guest)
        return try registry.list().contains { $0.name == guest.name }
    }

    // MARK: Running

    /// What a start of the kept guest needs: its machine, with paths that hold anywhere, and how it appears among others.
    public func launch(
        of guest: KeptGuest, isDetached: Bool
    ) -> (configuration: VirtualMachineConfiguration, options: LaunchOptions) {
        var options = LaunchOptions()
        options.name = guest.name
        options.image = guest.image
        options.isDetached = isDetached
        options.isKept = true
        options.consoleLog = store.consoleLog(of: guest.name).string
        options.endFile = store.endFile(of: guest.name).string
        return (guest.configuration.resolvingPaths(in: store.folder(of: guest.name)), options)
    }

    /// Starts the kept guest and leaves it to itself; its identifier.
    public func start(
        _ guest: KeptGuest, log: MachineLaunch.Log = MachineLaunch.Log()
    ) async throws(VirtualMachineError) -> GuestIdentifier {
        var (configuration, options) = launch(of: guest, isDetached: true)
        options.log = log
        return try await Guests.startDetached(configuration, options)
    }

    /// Starts a machine that goes on when this process is gone; the guest's identifier.
    public static func startDetached(
        _ configuration: VirtualMachineConfiguration, _ options: LaunchOptions
    ) async throws(VirtualMachineError) -> GuestIdentifier {
        let machine = try await VirtualMachine(configuration, options: options)
        try await machine.start()
        try await machine.detach()
        guard let id = machine.id else {
            throw VirtualMachineError(.host, "the machine has no process of its own")
        }
        return id
    }

    /// A copy of the image's disk for one run, where it has one.
    public func throwAwayCopy(of image: GuestImage) throws(VirtualMachineError) -> ThrowAwayCopy? {
        guard let disk = image.disk else { return nil }
        return try ThrowAwayCopy(of: FilePath(disk), dataFolder: store.dataFolder)
    }

    // MARK: Removing

    /// Forgets the guest called `text` with its disks. One that runs is refused, unless `force`: then it is ended first,
    /// and one that is not kept is gone with that.
    public func remove(_ text: String, force: Bool) async throws(VirtualMachineError) {
        if let running = try? registry.find(text) {
            guard force else {
                throw VirtualMachineError(
                    .state,
                    "guest '\(running.title)' runs (process \(running.processID)); stop it first with apus stop "
                        + "\(running.title), or remove it with --force")
            }
            try await Guest(record: running, registry: registry).kill()
            guard running.isKept, let name = running.name else { return }
            return try remove(name)
        }
        guard let name = GuestName(rawValue: text), store.has(name) else {
            throw try await unknown(text)
        }
        try remove(name)
    }

    /// While nobody can start it.
    private func remove(_ name: GuestName) throws(VirtualMachineError) {
        try registry.withGuests { running throws(VirtualMachineError) in
            if let guest = running.first(where: { $0.name == name }) {
                throw VirtualMachineError(
                    .state, "\(guest.holder) was started meanwhile; stop it first with apus stop \(name)")
            }
            try store.remove(name)
        }
    }
}
