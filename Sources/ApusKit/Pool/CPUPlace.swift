// SPDX-License-Identifier: Apache-2.0

public import Host

/// Where on the host a guest's vCPUs run: a list such as `0-3,8`, or `all`.
public enum CPUPlace: Hashable, TextCoded {
    /// Wherever the process may.
    case anywhere
    case on(CPUSet)

    /// Numbers and ranges of the host's CPUs, or `all`.
    public init(parsing text: String) throws(VirtualMachineError) {
        guard text != "all" else {
            self = .anywhere
            return
        }
        guard let set = CPUSet(list: text) else {
            throw VirtualMachineError(
                .configuration,
                "CPU list '\(text)' cannot be read; write numbers and ranges such as 0-3,8, or all")
        }
        self = .on(set)
    }

    public var description: String {
        switch self {
        case .anywhere: "all"
        case .on(let set): set.description
        }
    }

    /// The CPUs; nil for wherever the process may run.
    public var cpus: CPUSet? {
        if case .on(let set) = self { set } else { nil }
    }

    /// Checks that the host has these CPUs and lets the process run there.
    func validate(allowed: CPUSet) throws(VirtualMachineError) {
        guard let cpus else { return }
        let missing = cpus.subtracting(allowed)
        guard missing.isEmpty, !cpus.isEmpty else {
            throw VirtualMachineError(
                .configuration, "CPU \(missing) is not one of those that this process may use; they are \(allowed)")
        }
    }
}
