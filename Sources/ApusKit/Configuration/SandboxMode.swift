// SPDX-License-Identifier: Apache-2.0

import Host

/// How far a machine's process, and its network child, give up their rights before the guest's first instruction.
public enum SandboxMode: String, NamedChoice, Codable {
    /// Not at all.
    case off
    /// Files, sockets, programs and other processes are out of reach, as far as the host can hold them back.
    case on
    /// As `on`; and a system call that is neither allowed nor foreseen ends the process instead of failing.
    case strict

    public static var noun: String { "sandbox" }

    var policyMode: SandboxPolicy.Mode {
        switch self {
        case .off: .off
        case .on: .on
        case .strict: .strict
        }
    }
}

extension VirtualMachineConfiguration {
    /// Whom the process of a machine that root starts becomes; nil where that is left to the policy, or nobody changes.
    func account() throws(VirtualMachineError) -> UserAccount? {
        guard let user else { return nil }
        let account: UserAccount
        do throws(HostError) {
            account = try UserAccount(user)
        } catch {
            throw VirtualMachineError(error)
        }
        guard HostProcess.userID == 0 || HostProcess.userID == account.user else {
            throw VirtualMachineError(
                .configuration,
                "only root chooses the user of a machine's process, and this is \(UserAccount.current); "
                    + "leave --user out")
        }
        return account
    }

    /// What the machine's process keeps.
    func sandboxPolicy() throws(VirtualMachineError) -> SandboxPolicy {
        .machine(sandbox.policyMode, account: try account())
    }
}
