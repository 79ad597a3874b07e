// SPDX-License-Identifier: Apache-2.0

import Host

/// What `set` changes of a machine while it runs; what is left out stays as it is.
public struct MachineSettings: Equatable, Codable, Sendable {
    /// Its part where guests want more CPU time than there is.
    public var cpuShares: Int?
    public var cpuCap: CPUCap?
    public var cpuset: CPUPlace?
    /// Bytes that the guest is to have.
    public var memory: UInt64?

    /// Nothing to change.
    public init() {}

    /// Whether nothing is to change.
    public var isEmpty: Bool { self == MachineSettings() }

    /// Whether something of the processors is to change.
    var concernsProcessors: Bool { cpuShares != nil || cpuCap != nil || cpuset != nil }

    /// Checks what can be checked without the machine.
    public func validate() throws(VirtualMachineError) {
        if let cpuShares { try Self.validate(shares: cpuShares) }
        try cpuCap?.validate()
    }

    /// Checks a number of shares.
    static func validate(shares: Int) throws(VirtualMachineError) {
        let range = ProcessorLimits.shareRange
        guard range.contains(shares) else {
            throw VirtualMachineError(
                .configuration,
                "CPU shares of \(shares) are out of range: from \(range.lowerBound) to \(range.upperBound), and "
                    + "\(ProcessorLimits.defaultShares) for a guest that says nothing")
        }
    }

    /// Puts what is given into a configuration.
    public func apply(to configuration: inout VirtualMachineConfiguration) {
        if let cpuShares { configuration.cpuShares = cpuShares }
        if let cpuCap { configuration.cpuCap = cpuCap }
        if let cpuset { configuration.cpuset = cpuset }
        if let memory { configuration.memorySize = memory }
    }
}

extension ProcessorLimits {
    /// What `configuration` says.
    init(_ configuration: VirtualMachineConfiguration) {
        self.init(
            shares: configuration.cpuShares, cap: configuration.cpuCap.percent, cpus: configuration.cpuset.cpus)
    }
}
