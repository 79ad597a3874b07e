// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// The guest that a command is about.
struct GuestArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Its name, its ID or the beginning of one (apus list).", valueName: "guest"))
    var guest: String

    /// The guest, which runs.
    func running() throws(VirtualMachineError) -> Guest { try Guests().guest(guest) }
}

/// Several guests that a command does the same to.
struct GuestArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("Names, IDs or beginnings of IDs (apus list).", valueName: "guest"))
    var guests: [String]

    /// Does `work` for each, all at once; says what each did, and fails where one did.
    func forEach(
        _ work: @escaping @Sendable (String) async throws(VirtualMachineError) -> Void
    ) async throws {
        let failures = await withTaskGroup(of: (String, VirtualMachineError?).self) { group in
            for guest in guests {
                group.addTask {
                    do throws(VirtualMachineError) {
                        try await work(guest)
                        return (guest, nil)
                    } catch {
                        return (guest, error)
                    }
                }
            }
            return await group.reduce(into: [(String, VirtualMachineError)]()) { failures, result in
                if let error = result.1 { failures.append((result.0, error)) }
            }
        }
        for (guest, failure) in failures {
            let isNamed = guests.count == 1 || failure.description.contains("'\(guest)'")
            Message.failure(isNamed ? failure.description : "guest '\(guest)': \(failure.description)")
        }
        if !failures.isEmpty { throw ExitCode(ExitStatus.failure) }
    }
}
