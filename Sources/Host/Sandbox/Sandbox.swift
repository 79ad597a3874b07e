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
public final class Sandbox: Sendable {
    /// What holds once it is entered. What the host lacks is left out and said here.
    public let state: SandboxState
    private let policy: SandboxPolicy
    /// Rules of Landlock, open as long as this object lives.
    private let rules: FileDescriptor?

    private static let entered = Atomic<Bool>(false)

    /// Whether this process has given up what it had.
    public static var isEntered: Bool { entered.load(ordering: .acquiring) }

    /// Prepares what `policy` says: rules are compiled and opened, and nothing is given up yet. Once in a process.
    public init(_ policy: SandboxPolicy) throws(HostError) {
        self.policy = policy
        var state = SandboxState(mode: policy.mode, account: .current)
        if policy.changesUser, geteuid() == 0 {
            if let obstacle = UserNamespace.obstacle(to: policy.account) {
                state.lacking.append("the process stays root: \(obstacle)")
            } else {
                state.account = policy.account
            }
        }
        if policy.mode != .off { try Self.prepareFilters(policy, &state) }
        if policy.mode != .off, let landlock = Self.landlock(policy, &state) {
            state.landlock = landlock.version
            rules = landlock.rules.take()
        } else {
            rules = nil
        }
        self.state = state
    }

    deinit { try? rules?.close() }

    /// Confines every thread of this process. A thread that cannot be is an error, after which the process has to end.
    ///
    /// Threads are stopped meanwhile, wherever they are; system calls that signals interrupt are restarted. A network
    /// child of root's becomes another user even where the policy's mode is off.
    public func enter() throws(HostError) {
        guard policy.mode != .off || policy.changesUser else { return }
        // A thread that may start none may wake a task.
        if policy.kind == .machine { try ServiceExecutor.shared.start() }
        let error = chost_hide_process()
        if error != 0 { throw HostError("cannot end core dumps", Errno(rawValue: error)) }
        var confinement = chost_confinement(
            landlock: rules?.rawValue ?? -1, changes_user: geteuid() == 0 && state.account.user != 0,
            user: state.account.user, group: state.account.group)
        // SAFETY: reads the local, for the length of the call.
        let outcome = unsafe chost_confine(&confinement, policy.keepsProbes)
        if let failure = HostError(outcome) { throw failure }
        Self.entered.store(true, ordering: .releasing)
    }

    /// Prepares and enters: what holds.
    @discardableResult
    public static func enter(_ policy: SandboxPolicy) throws(HostError) -> SandboxState {
        let sandbox = try Sandbox(policy)
        try sandbox.enter()
        return sandbox.state
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

    private static func landlock(_ policy: SandboxPolicy, _ state: inout SandboxState) -> Landlock? {
        do throws(HostError) {
            return try Landlock(readable: policy.readableFiles, allowsNetwork: policy.allowsNetwork)
        } catch {
            state.lacking.append("files are not confined by Landlock: \(error)")
            return nil
        }
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
