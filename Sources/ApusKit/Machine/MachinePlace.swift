// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What the process that hosts a machine gives it besides its configuration.
struct MachinePlace: Sendable {
    /// Where `StreamEnd.standardStreams` ends.
    enum StandardStreams: Sendable {
        /// At this process's own stdin and stdout.
        case own
        /// At those of another process, which passes them on over this socket.
        case relayed(FileDescriptor)
        /// Nowhere: nobody started the machine from a terminal.
        case none
    }

    var standardStreams = StandardStreams.own
    /// The file that keeps what the guest writes to its serial port.
    var consoleLog: String?

    /// The guest's identifier, where the process runs it and nothing else.
    var guest: String?

    /// Opens `end`, served by `loop`.
    func open(_ end: StreamEnd, loop: EventLoop) throws(HostError) -> OpenStream {
        switch (end, standardStreams) {
        case (.standardStreams, .relayed(let socket)): OpenStream(relayedBy: socket, loop: loop)
        case (.standardStreams, .none): OpenStream(relayedBy: nil, loop: loop)
        default: try OpenStream(end, loop: loop)
        }
    }
}
