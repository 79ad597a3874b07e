// SPDX-License-Identifier: Apache-2.0

import Host
import Logging
import Synchronization
import SystemPackage

/// How one machine gets its part of the host's processors: by a control group of its own where the user has been given
/// one with the cpu controller, else by a governor that holds its vCPUs back.
///
/// Made before the machine's process gives up its rights; limits change through what is open then.
public final class ProcessorControl: Sendable {
    /// By what means limits hold.
    public enum Mechanism: String, Codable, Sendable {
        /// The kernel's scheduler, told by cgroup v2.
        case controlGroup
        /// The machine's own governor: CPU affinity, and a duty cycle of the vCPU threads.
        case dutyCycle
    }

    /// By what means this machine's limits hold.
    public let mechanism: Mechanism
    /// Why it is not a control group.
    public let reason: String?
    let governor: ProcessorGovernor
    private let group: ControlGroup?
    private let limits: Mutex<ProcessorLimits>

    /// Makes what gives a machine of `configuration` its part. A process that runs this machine alone moves into the
    /// control group of `guest`, if it can have one; nil for a process that does other things besides.
    init(_ configuration: VirtualMachineConfiguration, guest: String? = nil) throws(VirtualMachineError) {
        try configuration.cpuset.validate(allowed: CPUSet.current)
        let limits = ProcessorLimits(configuration)
        self.limits = Mutex(limits)
        do throws(HostError) {
            group = try Self.enter(guest, limits)
            reason = nil
        } catch {
            group = nil
            reason = error.description
        }
        mechanism = group == nil ? .dutyCycle : .controlGroup
        do throws(HostError) {
            governor = ProcessorGovernor(
                // The kernel shares among control groups; a governor there has affinity alone to see to.
                pool: try group == nil ? Self.pool() : ProcessorPool(),
                limits: Self.governed(limits, group), quota: ControlGroupLimits.current.cpus ?? .max)
        } catch {
            throw VirtualMachineError(error)
        }
    }

    private static func enter(_ guest: String?, _ limits: ProcessorLimits) throws(HostError) -> ControlGroup {
        guard let guest else { throw HostError("the machine runs within the process that made it") }
        guard let tree = ControlGroupTree() else { throw HostError("cgroup v2 is not mounted") }
        return try tree.enter(guest, limits: limits)
    }

    /// The pool of the user's guests; one without others where there is none to be had.
    private static func pool() throws(HostError) -> ProcessorPool {
        do {
            return try ProcessorPool(folder: RuntimeFolder().path)
        } catch {
            Logger(label: "apus.pool").warning(
                "CPU shares do not hold between this guest and others: \(error)")
            return try ProcessorPool()
        }
    }

    /// By what means a guest's limits would hold, and why not by a control group.
    static var available: (Mechanism, reason: String?) {
        guard let tree = ControlGroupTree() else { return (.dutyCycle, "cgroup v2 is not mounted") }
        if let obstacle = tree.obstacle { return (.dutyCycle, obstacle) }
        return (.controlGroup, nil)
    }

    /// What is left for the governor to do.
    private static func governed(_ limits: ProcessorLimits, _ group: ControlGroup?) -> ProcessorLimits {
        guard let group else { return limits }
        return ProcessorLimits(cpus: group.hasCPUs ? nil : limits.cpus)
    }

    /// Changes what `settings` say of processors, from now on.
    func apply(_ settings: MachineSettings) throws(VirtualMachineError) {
        try settings.validate()
        try settings.cpuset?.validate(allowed: governor.allowed)
        let error = limits.withLock { limits in
            var new = limits
            if let shares = settings.cpuShares { new.shares = shares }
            if let cap = settings.cpuCap { new.cap = cap.percent }
            if let place = settings.cpuset { new.cpus = place.cpus }
            if let error = group?.apply(new) { return Optional(error) }
            governor.change(Self.governed(new, group))
            limits = new
            return nil
        }
        if let error {
            throw VirtualMachineError(HostError("the host's control group refuses these limits", error))
        }
    }

    /// What is in force.
    var current: ProcessorLimits { limits.withLock(\.self) }

    /// Leaves word of the control group in the guest's runtime folder, for whoever clears it.
    func note(in folder: FilePath) throws(VirtualMachineError) {
        do throws(HostError) { try group?.note(in: folder) } catch { throw VirtualMachineError(error) }
    }
}
