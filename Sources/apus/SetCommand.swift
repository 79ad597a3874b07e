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
              apus set web --disk 0,bps=10M,iops=500 --net 0,none
            """)

    @Argument(help: ArgumentHelp("The guest's name or ID (apus host).", valueName: "guest"))
    var guest: String

    @OptionGroup
    var processors: ProcessorOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("RAM, with K, M or G.", valueName: "size"))
    var memory: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Limits of a disk, by its number from 0, repeatable: N,bps=10M,burst=20M,iops=500,iops-burst=50 or N,none.",
            valueName: "limits"))
    var disk: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Limits of a network card each way, by its number from 0, repeatable: N,bps=10M,pps=1000 or N,none.",
            valueName: "limits"))
    var net: [String] = []

    @Flag(name: .long, help: "Give it even where the host has less memory free.")
    var overcommit = false

    func run() async throws {
        var settings = try processors.settings()
        settings.memory = try memory.map { text throws(VirtualMachineError) in try ByteSize(parsing: text).bytes }
        let disks = try disk.map { text throws(VirtualMachineError) in try DeviceLimits(parsing: text, for: .disk) }
        let networks = try net.map { text throws(VirtualMachineError) in
            try DeviceLimits(parsing: text, for: .network)
        }
        settings.diskLimits = disks.isEmpty ? nil : disks
        settings.networkLimits = networks.isEmpty ? nil : networks
        _ = try await GuestSettings().set(settings, of: guest, overcommits: overcommit)
    }
}
