// SPDX-License-Identifier: Apache-2.0

/// Where GDB's remote protocol is served.
public struct DebugServer: Sendable, Equatable {
    /// A TCP port of 127.0.0.1; 0 lets the host choose one (`VirtualMachine.debugPort`).
    public var port: UInt16
    /// The vCPUs stand before their first instruction until a debugger lets them go.
    public var waits: Bool

    public init(port: UInt16, waits: Bool = false) {
        self.port = port
        self.waits = waits
    }

    /// A debug server as the command line writes it: `tcp:PORT[,wait]`.
    public init(parsing text: String) throws(VirtualMachineError) {
        var words = OptionWords(text, separator: ",")
        let place = (words.next() ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard place.count == 2, place[0] == "tcp" else {
            throw VirtualMachineError(.configuration, "gdb server '\(text)' cannot be read; write tcp:PORT[,wait]")
        }
        self.init(port: try PortForward.port(place[1]))
        while let word = words.next() {
            guard word == "wait" else { throw .unknown("gdb option", word, valid: ["wait"]) }
            waits = true
        }
    }
}

/// Where the trace of traps and changes of privilege goes.
public enum TraceDestination: Sendable, Equatable {
    case standardError
    case file(path: String)
}
