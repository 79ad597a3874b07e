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
    /// Limits of disks and of network cards, by their number.
    public var diskLimits: [DeviceLimits]?
    public var networkLimits: [DeviceLimits]?

    /// Nothing to change.
    public init() {}

    /// One setting as the monitor writes it: `cpu-shares=300`.
    init(parsing text: String) throws(VirtualMachineError) {
        let (key, value) = OptionWords.pair(text)
        guard let value else {
            throw VirtualMachineError(
                .configuration, "setting '\(text)' has no value; write NAME=VALUE, such as cpu-cap=25%")
        }
        switch key {
        case "cpu-shares": cpuShares = try Self.shares(parsing: value)
        case "cpu-cap": cpuCap = try CPUCap(parsing: value)
        case "cpuset": cpuset = try CPUPlace(parsing: value)
        case "memory": memory = try ByteSize(parsing: value).bytes
        case "disk": diskLimits = [try DeviceLimits(parsing: value, for: .disk)]
        case "net": networkLimits = [try DeviceLimits(parsing: value, for: .network)]
        default: throw .unknown("setting", key, valid: ["cpu-shares", "cpu-cap", "cpuset", "memory", "disk", "net"])
        }
    }

    /// A number of shares as the command line writes it.
    public static func shares(parsing text: String) throws(VirtualMachineError) -> Int {
        guard let shares = Int(text) else {
            throw VirtualMachineError(
                .configuration, "CPU shares '\(text)' are not a whole number from 1 to 10000")
        }
        try validate(shares: shares)
        return shares
    }

    /// Whether nothing is to change.
    public var isEmpty: Bool { self == MachineSettings() }

    /// Whether something of the processors is to change.
    var concernsProcessors: Bool { cpuShares != nil || cpuCap != nil || cpuset != nil }

    /// Checks what can be checked without the machine.
    public func validate() throws(VirtualMachineError) {
        if let cpuShares { try Self.validate(shares: cpuShares) }
        try cpuCap?.validate()
        for change in diskLimits ?? [] { try change.limits.validate(for: .disk) }
        for change in networkLimits ?? [] { try change.limits.validate(for: .network) }
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
        for change in diskLimits ?? [] where configuration.storageDevices.indices.contains(change.device) {
            configuration.storageDevices[change.device].limits = change.limits
        }
        for change in networkLimits ?? [] where configuration.networkDevices.indices.contains(change.device) {
            configuration.networkDevices[change.device].limits = change.limits
        }
    }
}

extension ProcessorLimits {
    /// What `configuration` says.
    init(_ configuration: VirtualMachineConfiguration) {
        self.init(
            shares: configuration.cpuShares, cap: configuration.cpuCap.percent, cpus: configuration.cpuset.cpus)
    }
}
