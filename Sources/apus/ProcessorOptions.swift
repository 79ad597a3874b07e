// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// What the machine gets of the host's processors: when it starts, and by `set` while it runs.
struct ProcessorOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Its part where guests want more CPU time than there is, relative to theirs: 1 to 10000 (default: 100).",
            valueName: "n"))
    var cpuShares: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The most CPU time of all its vCPUs, in hundredths of one CPU: 25%, 150%, none.", valueName: "percent"))
    var cpuCap: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The host's CPUs that its vCPUs run on: 0-3,8 or all.", valueName: "list"))
    var cpuset: String?

    /// The options that are given, checked.
    func settings() throws(VirtualMachineError) -> MachineSettings {
        var settings = MachineSettings()
        settings.cpuShares = try cpuShares.map { text throws(VirtualMachineError) in
            try MachineSettings.shares(parsing: text)
        }
        settings.cpuCap = try cpuCap.map { text throws(VirtualMachineError) in try CPUCap(parsing: text) }
        settings.cpuset = try cpuset.map { text throws(VirtualMachineError) in try CPUPlace(parsing: text) }
        try settings.validate()
        return settings
    }
}
