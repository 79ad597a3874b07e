// SPDX-License-Identifier: Apache-2.0

/// The tables by which firmware would describe the machine, as they lie in `PCMemoryMap.tables`.
///
/// ```
/// 0xE_0000  ACPI     the RSDP first
/// 0xF_0000  SMBIOS   its entry points first: nobody looks for them below
/// ```
struct PCTables: Sendable {
    /// The contents of the range from its start.
    let bytes: [UInt8]
    /// The RSDP's address.
    let rootPointer: UInt64

    /// Where SMBIOS begins.
    static let managementBase: UInt64 = 0xF_0000

    init(bytes: [UInt8], rootPointer: UInt64) {
        self.bytes = bytes
        self.rootPointer = rootPointer
    }

    /// The tables of a machine.
    init(_ tables: ACPITables, _ management: SMBIOSTables) {
        let base = PCMemoryMap.tables.base
        let acpi = tables.bytes(at: base)
        let room = Int(Self.managementBase - base)
        precondition(acpi.count <= room, "the ACPI tables have room for 16 processors")
        bytes = acpi + [UInt8](repeating: 0, count: room - acpi.count) + management.bytes(at: Self.managementBase)
        precondition(UInt64(bytes.count) <= PCMemoryMap.tables.size, "the tables fit into their range")
        rootPointer = base
    }
}
