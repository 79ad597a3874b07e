// SPDX-License-Identifier: Apache-2.0

import Machines

/// What a guest has of its memory, in bytes, and what it says of it.
public struct MemoryReport: Equatable, Codable, Sendable {
    /// The most that the guest can be given.
    public var maximum: UInt64
    /// What it is to have now.
    public var size: UInt64
    /// What the balloon holds, as the guest says: it works towards `maximum` less `size`.
    public var balloon: UInt64
    /// Whether the guest has a driver for the balloon.
    public var hasBalloonDriver: Bool
    /// What went back to the host since the start, by the balloon and as free memory.
    public var returned: UInt64
    /// What the guest last said of its memory: `free`, `available`, `caches` and so on; empty before it has.
    public var guest: [StatisticsReport.Counter]

    init(_ memory: MachineMemory) {
        maximum = memory.size
        size = memory.target
        balloon = memory.balloon
        hasBalloonDriver = memory.hasDriver
        returned = memory.returned
        guest = memory.guest.map { StatisticsReport.Counter(name: $0.name, count: $0.value) }
    }

    /// What the guest last said under `name`.
    public func guest(_ name: String) -> UInt64? { guest.first { $0.name == name }?.count }

    /// For a terminal.
    var rows: [[String]] {
        var rows = [["memory", size == maximum ? "\(ByteSize(size))" : "\(ByteSize(size)) of \(ByteSize(maximum))"]]
        if hasBalloonDriver { rows.append(["memory balloon", mebibytes(balloon)]) }
        if returned > 0 { rows.append(["memory given back", mebibytes(returned)]) }
        for name in ["free", "available", "caches", "swap-out", "out-of-memory-kills"] {
            guard let value = guest(name) else { continue }
            rows.append(["guest memory \(name)", name == "out-of-memory-kills" ? "\(value)" : mebibytes(value)])
        }
        return rows
    }

    private func mebibytes(_ bytes: UInt64) -> String { "\(bytes >> 20) MiB" }
}
