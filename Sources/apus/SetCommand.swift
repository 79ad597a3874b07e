// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus set`: what a guest gets, changed while it runs.
struct SetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes what a guest gets, while it runs and in its definition.",
        discussion: """
            What is not given stays as it is. A guest that is kept has the change from
            its next start on, too.

            EXAMPLES
              apus set web --cpu-shares 300
              apus set web --cpu-cap 25% --cpuset 0-1
              apus set web --cpu-cap none --cpuset all
              apus set web --memory 1G
            """)

    @Argument(help: ArgumentHelp("The guest's name or ID (apus host).", valueName: "guest"))
    var guest: String

    @OptionGroup
    var processors: ProcessorOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("RAM, with K, M or G.", valueName: "size"))
    var memory: String?

    @Flag(name: .long, help: "Give it even where the host has less memory free.")
    var overcommit = false

    func run() async throws {
        var settings = try processors.settings()
        settings.memory = try memory.map { text throws(VirtualMachineError) in try ByteSize(parsing: text).bytes }
        _ = try await GuestSettings().set(settings, of: guest, overcommits: overcommit)
    }
}
