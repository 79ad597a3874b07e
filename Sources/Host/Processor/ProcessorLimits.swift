// SPDX-License-Identifier: Apache-2.0

/// What a guest gets of the host's processors.
public struct ProcessorLimits: Equatable, Sendable {
    /// What `shares` may be: the range of cgroup v2's `cpu.weight`, so that both mechanisms mean the same.
    public static let shareRange = 1...10_000
    /// What a guest has that says nothing.
    public static let defaultShares = 100

    /// Its part where guests want more than there is, relative to theirs.
    public var shares: Int
    /// The most CPU time that its vCPUs use, in hundredths of one CPU; nil for no such limit.
    public var cap: Int?
    /// Where its vCPUs may run; nil for wherever the process may.
    public var cpus: CPUSet?

    public init(shares: Int = defaultShares, cap: Int? = nil, cpus: CPUSet? = nil) {
        self.shares = shares
        self.cap = cap
        self.cpus = cpus
    }
}
