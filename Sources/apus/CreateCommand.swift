// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus create`.
struct CreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Keeps a guest under a name, without starting it.",
        usage: """
            apus create --name NAME [OPTIONS] IMAGE
            apus create --name NAME [OPTIONS] --kernel FILE [--initrd FILE] [--append TEXT]
            apus create --config FILE
            """,
        discussion: """
            The guest gets its own copy of the image's disk. With --config it is made as the
            file says, but for MAC addresses that another guest has; one that is there
            already gets the file's configuration, from its next start on.

            EXAMPLES
              apus create --name web debian-micro --net user,forward=tcp:8080:80
              apus inspect --config web >web.json
              apus create --config web.json
            """)

    @Argument(help: ArgumentHelp("The image to make it from (apus image list).", valueName: "image"))
    var image: String?

    @Option(name: .long, help: ArgumentHelp("What it is called.", valueName: "name"))
    var name: String?

    @Option(name: .long, help: ArgumentHelp("A file that apus inspect --config printed.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @OptionGroup(title: "Run")
    var conduct: ConductOptions

    @OptionGroup(title: "Logging")
    var logging: LoggingOptions

    func run() async throws {
        try logging.bootstrap()
        let guests = try Guests()
        if let config { return try await create(from: config, guests) }
        guard let name else {
            throw VirtualMachineError(.configuration, "a guest that is kept needs a name; give one with --name NAME")
        }
        let maker = GuestMaker(image: image, machine: machine, conduct: conduct)
        let made = try await maker.keep(try GuestName(parsing: name), in: guests)
        Message.print("\(made.name)\n")
    }

    private func create(from file: String, _ guests: Guests) async throws(VirtualMachineError) {
        guard name == nil, image == nil else {
            throw VirtualMachineError(
                .configuration, "the file '\(file)' has the name and the image; leave out --name and the image")
        }
        let described = try guests.read(file: file)
        if guests.isKept(described.name) {
            let isRunning = try guests.replace(described)
            Message.note(
                "guest '\(described.name)' has a new configuration"
                    + (isRunning ? "; it runs, and takes it at its next start" : ""))
        } else {
            var found: GuestImage?
            if let image = described.image {
                found = try await GuestMaker.image(image, described.configuration.platform)
            }
            _ = try guests.create(
                described.name, image: found, configuration: described.configuration, isCopy: true)
        }
        Message.print("\(described.name)\n")
    }
}
