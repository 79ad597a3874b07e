// SPDX-License-Identifier: Apache-2.0

import ApusKit

/// Makes machines of what the command line says: an image or files, and options.
struct GuestMaker {
    let image: String?
    let machine: MachineOptions
    let conduct: ConductOptions

    /// The machine, and the image that it is made from. What is wrong with the options is said before an image is built.
    func make(hasCommand: Bool = false) async throws(VirtualMachineError) -> (VirtualMachineConfiguration, GuestImage?)
    {
        var configuration = try machine.configuration(
            bootLoader: .bare(kernel: ""), isImage: image != nil, hasCommand: hasCommand, conduct: conduct)
        guard let image else {
            guard !hasCommand else {
                throw VirtualMachineError(
                    .configuration, "a command needs an image with Apus's agent; write apus run IMAGE -- COMMAND")
            }
            configuration.bootLoader = try machine.bootLoader()
            return (configuration, nil)
        }
        guard machine.kernel == nil, machine.firmware == nil, machine.initrd == nil else {
            throw VirtualMachineError(
                .configuration,
                "image '\(image)' brings its own kernel; leave out --kernel, --initrd and --firmware, or the image")
        }
        let found = try await GuestMaker.image(image, configuration.platform)
        configuration.bootLoader = try machine.bootLoader(of: found)
        // The guest's first disk, before those of the options.
        if let disk = found.disk { configuration.storageDevices.insert(StorageDevice(path: disk), at: 0) }
        return (configuration, found)
    }

    /// Keeps a new guest under `name`.
    func keep(_ name: GuestName, in guests: Guests) async throws(VirtualMachineError) -> KeptGuest {
        guard !guests.isKept(name) else {
            throw VirtualMachineError(
                .state, "guest '\(name)' is kept already; start it with apus start \(name), or remove it first")
        }
        let (configuration, found) = try await make()
        return try guests.create(name, image: found, configuration: configuration)
    }

    /// The image called `name`, built first where it is not there.
    static func image(_ name: String, _ platform: Platform) async throws(VirtualMachineError) -> GuestImage {
        let display = ProgressDisplay()
        let found = try await ImageLibrary().ensure(name, platform: platform, progress: display.show)
        display.finish()
        return found
    }
}
