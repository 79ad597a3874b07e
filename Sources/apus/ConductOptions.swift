// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// How a run is conducted and reported.
struct ConductOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("End the machine after this time (90, 90s, 5m); status 124.", valueName: "time")
    )
    var timeout: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "When the guest's system crashes: exit, reboot or pause (default: exit).", valueName: "action"))
    var onPanic: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Serve GDB's remote protocol on 127.0.0.1: tcp:PORT[,wait].", valueName: "server"))
    var gdb: String?

    @Flag(name: .long, help: "Print exceptions, interrupts and changes of privilege on stderr.")
    var trace = false

    @Option(name: .long, help: ArgumentHelp("Write that trace to a file.", valueName: "file"))
    var traceFile: String?

    @Flag(name: .long, help: "Print counters of vCPUs and devices on stderr at the end.")
    var stats = false

    @Flag(
        name: .long,
        help: "Print at the end, on stderr, one line of JSON: who ended the machine, and with --stats the counters.")
    var json = false

    @Option(
        name: .long,
        help: ArgumentHelp("Serve the control protocol on a Unix socket: unix:PATH.", valueName: "socket"))
    var control: String?

    @Flag(name: .shortAndLong, help: "Say what runs and why; with a command, show the guest's console on stderr.")
    var verbose = false

    /// The path of the control socket that is asked for.
    func controlPath() throws(VirtualMachineError) -> String? {
        guard let control else { return nil }
        // unix(7): sun_path has 108 bytes with its zero.
        guard control.hasPrefix("unix:"), (6...112).contains(control.utf8.count) else {
            throw VirtualMachineError(
                .configuration, "control socket '\(control)' cannot be read; write unix:PATH, a path of up to 107 bytes"
            )
        }
        return String(control.dropFirst(5))
    }

    /// Puts what is given and concerns the machine into its configuration.
    func apply(to configuration: inout VirtualMachineConfiguration) throws(VirtualMachineError) {
        if let onPanic { configuration.onPanic = try PanicAction(parsing: onPanic) }
        if let timeout { configuration.timeout = try Duration.parse(timeout) }
        if let gdb { configuration.debugServer = try DebugServer(parsing: gdb) }
        if let traceFile {
            configuration.trace = .file(path: traceFile)
        } else if trace {
            configuration.trace = .standardError
        }
    }
}

/// What a command in the guest gets.
struct GuestOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("A variable for the command, repeatable.", valueName: "name=value"))
    var env: [String] = []

    /// The variables, checked.
    func environment() throws(VirtualMachineError) -> [String] {
        for variable in env where variable.firstIndex(of: "=").map({ $0 == variable.startIndex }) ?? true {
            throw VirtualMachineError(.configuration, "variable '\(variable)' cannot be read; write NAME=VALUE")
        }
        return env
    }
}
