// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import MachineCore
import Subprocess
import SystemPackage
import Testing

@Suite("The guest's agent on a port that comes and goes", .timeLimit(.minutes(10)))
struct AgentDeviceTests {
    /// A pseudo-terminal that a link stands for, as `/dev/vport0p1` stands for a port.
    private struct Port {
        let master: FileDescriptor
        /// Held, because a terminal that nobody has open hangs up.
        private let slave: FileDescriptor

        init(link: FilePath) throws {
            var ends: (master: CInt, slave: CInt) = (-1, -1)
            // Before the agent opens it: a terminal would echo the greeting.
            var settings = termios()
            cfmakeraw(&settings)
            guard openpty(&ends.master, &ends.slave, nil, &settings, nil) == 0, let name = ttyname(ends.slave) else {
                throw Errno(rawValue: errno)
            }
            (master, slave) = (FileDescriptor(rawValue: ends.master), FileDescriptor(rawValue: ends.slave))
            _ = fcntl(ends.master, F_SETFD, FD_CLOEXEC)
            _ = fcntl(ends.slave, F_SETFD, FD_CLOEXEC)
            let aside = "\(link).new"
            try FileManager.default.createSymbolicLink(atPath: aside, withDestinationPath: String(cString: name))
            guard Glibc.rename(aside, link.string) == 0 else { throw Errno(rawValue: errno) }
        }

        func close() throws {
            try master.close()
            try slave.close()
        }

        /// What one command in a session of its own says.
        func run(_ command: AgentCommand) throws -> [UInt8] {
            var session = try AgentSession(socket: master)
            _ = try session.greet()
            return try session.run(command).stdout
        }
    }

    @Test("serves the port again after it went away, and what ran goes on")
    func opensAgain() async {
        // In a process of its own: another test's child might hold a copy of the terminal, which then never hangs up.
        await #expect(processExitsWith: .success) { try await Self.comeAndGo() }
    }

    private static func comeAndGo() async throws {
        let agent = try await AgentProgram.path.value
        let folder = try TemporaryFolder()
        let link = folder.path.appending("port")
        let done = folder.path.appending("done")
        let result = try await Subprocess.run(
            .path(agent), arguments: ["--device", link.string], input: .none, output: .discarded, error: .discarded
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            let first = try Port(link: link)
            #expect(try first.run(AgentCommand(["echo", "first"])) == Array("first\n".utf8))
            var session = try AgentSession(socket: first.master)
            _ = try session.greet()
            // Longer than the port is away; a file tells, because its streams are gone with the session.
            let script = "trap '' HUP; sleep 1.5; echo survived > \(done)"
            _ = try session.client.execute(AgentCommand(["sh", "-c", script]))
            _ = try session.events(until: \.isStart)
            try first.close()

            let second = try Port(link: link)
            defer { try? second.close() }
            #expect(try second.run(AgentCommand(["echo", "second"])) == Array("second\n".utf8))
            let wait = "while [ ! -s \(done) ]; do sleep 0.1; done; cat \(done)"
            #expect(try second.run(AgentCommand(["sh", "-c", wait])) == Array("survived\n".utf8))
        }
        #expect(result.terminationStatus == .signaled(9))
    }
}
