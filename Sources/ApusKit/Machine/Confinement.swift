// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import SystemPackage

/// The sandbox of a machine's process: prepared while everything can be opened, entered when everything is.
final class Confinement: Sendable {
    private let sandbox: Sandbox
    /// Calls that a test makes in the place of this process's threads.
    private let probes: SandboxProbe?

    /// Prepares what `configuration` says, and logs what the host lacks.
    init(_ configuration: VirtualMachineConfiguration) throws(VirtualMachineError) {
        var policy = try configuration.sandboxPolicy()
        do throws(HostError) {
            probes = try SandboxProbe.requested()
            policy.keepsProbes = probes != nil
            sandbox = try Sandbox(policy)
        } catch {
            throw VirtualMachineError(error)
        }
        let log = Logger(label: "apus.sandbox")
        log.info("\(words)")
        for sentence in sandbox.state.lacking { log.warning("\(sentence)") }
    }

    /// What holds once it is entered, in a few words.
    var words: String { sandbox.state.description }

    /// The last moment of a process with all its rights. On the machine's control thread.
    func enter() throws(VirtualMachineError) {
        do throws(HostError) {
            try sandbox.enter()
        } catch {
            throw VirtualMachineError(error)
        }
    }

    /// Makes a test's calls, and says on stderr what became of each.
    func probe() {
        probes?.run { line in _ = try? FileDescriptor.standardError.writeAll("probe: \(line)\n".utf8) }
    }
}
