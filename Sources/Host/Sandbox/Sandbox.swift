// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import Synchronization
import SystemPackage

/// Gives up what a process does not need any more, for good.
///
/// A process opens everything first and then calls `enter`: when that returns, each of its threads has another user if it
/// was root's, no capability, no way to new privileges, no file that is not open, and a filter for its system calls; and
/// so has every thread that starts later.
public enum Sandbox {
    /// Confines every thread of this process by `policy`, once. What the host lacks is left out and said in the result; a
    /// thread that could not be confined is an error, after which the process has to end.
    ///
    /// Threads are stopped meanwhile, wherever they are; system calls that signals interrupt are restarted. A network child
    /// of root's becomes another user even where the policy's mode is off.
    public static func enter(_ policy: SandboxPolicy) throws(HostError) -> SandboxState {
        guard policy.mode != .off || policy.kind == .networkChild else { return .off }
        var state = SandboxState(mode: policy.mode, account: .current)
        var confinement = chost_confinement(landlock: -1, changes_user: false, user: 0, group: 0)
        if geteuid() == 0 {
            if let obstacle = UserNamespace.obstacle(to: policy.account) {
                state.lacking.append("the process stays root: \(obstacle)")
            } else {
                state.account = policy.account
                (confinement.user, confinement.group) = (policy.account.user, policy.account.group)
                confinement.changes_user = true
            }
        }
        // A thread that may start none may wake a task.
        if policy.kind == .machine { try ServiceExecutor.shared.start() }
        if policy.mode != .off { try prepareFilters(policy, &state) }
        let error = chost_hide_process()
        if error != 0 { throw HostError("cannot end core dumps", Errno(rawValue: error)) }

        if policy.mode != .off { prepareLandlock(policy, &state, &confinement) }
        // SAFETY: reads the local, for the length of the call.
        let outcome = unsafe chost_confine(&confinement, policy.keepsProbes)
        if confinement.landlock >= 0 { close(confinement.landlock) }
        if let failure = HostError(outcome) { throw failure }
        entered.store(true, ordering: .releasing)
        return state
    }

    /// Whether this process has given up what it had.
    public static var isEntered: Bool { entered.load(ordering: .acquiring) }

    private static let entered = Atomic<Bool>(false)

    private static func prepareLandlock(
        _ policy: SandboxPolicy, _ state: inout SandboxState, _ confinement: inout chost_confinement
    ) {
        do throws(HostError) {
            let landlock = try Landlock(readable: policy.readableFiles, allowsNetwork: policy.allowsNetwork)
            state.landlock = landlock.version
            confinement.landlock = landlock.rules.take().rawValue
        } catch {
            state.lacking.append("files are not confined by Landlock: \(error)")
        }
    }

    private static func prepareFilters(_ policy: SandboxPolicy, _ state: inout SandboxState) throws(HostError) {
        let error = chost_filter_support()
        guard error == 0 else {
            let reason = HostError("this kernel has no seccomp filters", Errno(rawValue: error))
            state.lacking.append("system calls are not filtered: \(reason)")
            return
        }
        for role in ThreadRole.allCases { try policy.filter(role).install(for: role) }
        state.filtersCalls = true
    }
}

extension HostError {
    /// What went wrong on a thread that was to be confined.
    fileprivate init?(_ outcome: chost_outcome) {
        let what: String
        switch outcome.step {
        case CHOST_STEP_NONE: return nil
        case CHOST_STEP_GATHER: what = "cannot stop all threads to confine them"
        case CHOST_STEP_CAPABILITIES: what = "cannot drop capabilities"
        case CHOST_STEP_USER: what = "cannot become another user"
        case CHOST_STEP_NO_NEW_PRIVILEGES: what = "cannot forgo new privileges"
        case CHOST_STEP_LANDLOCK: what = "cannot confine files by Landlock"
        default: what = "cannot filter system calls"
        }
        self.init(
            "\(what) (thread \(outcome.thread))", Errno(rawValue: outcome.error),
            remedy: "'--sandbox off' goes without, at your own risk")
    }
}
