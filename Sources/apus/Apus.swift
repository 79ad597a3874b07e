// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser
import CVersion

/// The root of the command line.
@main
struct Apus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Runs virtual machines.",
        discussion: """
            EXAMPLES
              apus run debian-micro               a Debian guest on this terminal
              apus run debian-micro -- uname -a   one command in it
              apus run --kernel Image --initrd initrd.gz
              apus run --detach --name web debian-micro
              apus list                           the guests that run
              apus exec web -- uname -a           a command in one of them
              apus host                           what this host is and offers

            EXIT STATUS
              The guest's own code passes through. Besides:
               70  the guest's system crashed
              124  the --timeout was reached
              125  Apus failed: bad options, a missing file, a host that refused
              126  the command in the guest cannot be invoked
              127  the command in the guest was not found
              128+N  signal N
            """,
        version: "apus \(Apus.version)",
        subcommands: [
            RunCommand.self, CreateCommand.self, StartCommand.self, ListCommand.self, InspectCommand.self,
            ConsoleCommand.self, ExecCommand.self, LogsCommand.self, StopCommand.self, KillCommand.self,
            PauseCommand.self,
            ResumeCommand.self, ResetCommand.self, WaitCommand.self, RemoveCommand.self, TopCommand.self,
            EventsCommand.self, ImageCommand.self, HostCommand.self, SetCommand.self, MachineProcessCommand.self,
        ])

    /// The version and, where it is known, the commit: `0.2.0 (abc1234)`.
    // SAFETY: a string literal of C.
    static let version = unsafe String(cString: apus_version())

    /// Parses and runs. Usage errors are 125 as all of Apus's own failures are, for a guest may use any lower number.
    static func main() {
        StandardStreams.secure()
        do {
            let work = try Work(parseAsRoot())
            MainThread.run { await work.perform() }
        } catch {
            end(error)
        }
    }

    /// A parsed command on its way to a task.
    // SAFETY: handed over once; the thread that made it only waits afterwards.
    private struct Work: @unchecked Sendable {
        private let body: () async throws -> Void

        init(_ command: any ParsableCommand) throws {
            switch command {
            case let minding as any SignalledCommand: body = try minding.takingSignals()
            case let asynchronous as any AsyncParsableCommand:
                body = {
                    var command = asynchronous
                    try await command.run()
                }
            default:
                body = {
                    var command = command
                    try command.run()
                }
            }
        }

        func perform() async {
            do {
                try await body()
            } catch {
                Apus.end(error)
            }
        }
    }

    /// Ends the process as `error` says.
    private static func end(_ error: any Error) -> Never {
        switch error {
        case let error as VirtualMachineError:
            Message.failure(error.description)
            exit(withError: ExitCode(ExitStatus.failure))
        case let status as ExitCode: exit(withError: status)
        default:
            guard exitCode(for: error) == .success else {
                Message.write(fullMessage(for: error) + "\n")
                exit(withError: ExitCode(ExitStatus.failure))
            }
            exit(withError: error)
        }
    }
}
