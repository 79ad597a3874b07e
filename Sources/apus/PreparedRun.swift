// SPDX-License-Identifier: Apache-2.0

import ApusKit

/// What `apus run` starts: a new machine, or the kept guest of the name.
struct PreparedRun {
    var configuration: VirtualMachineConfiguration
    var options = LaunchOptions()
    /// The disk of an image for this run.
    private var copy: ThrowAwayCopy?

    init(_ command: RunCommand) async throws(VirtualMachineError) {
        let guests = try Guests()
        let maker = GuestMaker(image: command.image, machine: command.machine, conduct: command.conduct)
        let hasCommand = !command.command.isEmpty
        guard let name = command.name else {
            let (made, image) = try await maker.make(hasCommand: hasCommand)
            configuration = made
            options.image = image?.name
            options.isDetached = command.detach
            guard let image, let copy = try guests.throwAwayCopy(of: image) else { return }
            self.copy = copy
            configuration.storageDevices[0] = copy.disk
            return
        }
        let kept = try await PreparedRun.kept(try GuestName(parsing: name), maker, guests)
        (configuration, options) = guests.launch(of: kept, isDetached: command.detach)
        // For this run, whatever the definition says.
        try command.conduct.apply(to: &configuration)
        if hasCommand {
            // Stdin and stdout are the command's.
            configuration.serialPort = SerialPort(attachment: .memory(isShown: command.conduct.verbose))
        }
    }

    /// The guest that is kept under `name`, made first where there is none.
    private static func kept(
        _ name: GuestName, _ maker: GuestMaker, _ guests: Guests
    ) async throws(VirtualMachineError) -> KeptGuest {
        guard guests.isKept(name) else { return try await maker.keep(name, in: guests) }
        let kept = try guests.kept(name.rawValue)
        guard maker.image == nil || maker.image == kept.image else {
            throw VirtualMachineError(
                .configuration,
                "guest '\(name)' was made from \(kept.image.map { "image '\($0)'" } ?? "no image"), not "
                    + "'\(maker.image ?? "")'; leave out the image, or take another name")
        }
        guard maker.machine.isUntouched else {
            throw VirtualMachineError(
                .configuration,
                "guest '\(name)' has a machine of its own already; leave out its options, or change it with "
                    + "apus inspect --config \(name) and apus create --config FILE")
        }
        return kept
    }

    /// Removes what the run alone needed.
    func discard() { copy?.discard() }
}
