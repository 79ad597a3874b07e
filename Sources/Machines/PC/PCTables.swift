// SPDX-License-Identifier: Apache-2.0

/// The tables by which firmware would describe the machine, as they lie in `PCMemoryMap.tables`.
struct PCTables: Sendable {
    /// The contents of the range from its start.
    let bytes: [UInt8]
    /// The RSDP's address.
    let rootPointer: UInt64
}
