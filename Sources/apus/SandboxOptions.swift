// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// How the machine's process is confined.
struct SandboxOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Confines the machine's process: on, off, or strict, which ends it for what no list foresees.",
            valueName: "mode"))
    var sandbox = "on"

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whom the machine's process becomes, where root starts it: NAME, UID or UID:GID (default: nobody).",
            valueName: "user"))
    var user: String?

    /// Sets what the options say, checked.
    func apply(to configuration: inout VirtualMachineConfiguration) throws(VirtualMachineError) {
        configuration.sandbox = try SandboxMode(parsing: sandbox)
        configuration.user = user
    }
}
