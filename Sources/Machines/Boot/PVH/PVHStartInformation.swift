// SPDX-License-Identifier: Apache-2.0

/// What a PVH kernel finds at the address in EBX: `struct hvm_start_info` of version 1, its list of modules and its
/// memory map (xen, public/arch-x86/hvm/start_info.h).
struct PVHStartInformation: Sendable {
    let commandLine: UInt64
    let modules: [BootPlan.Span]
    let rootPointer: UInt64
    let memory: [AddressRange]

    static let size = 56

    /// The structure, with its lists at address `lists`.
    func bytes(lists: UInt64) -> [UInt8] {
        var start = LittleEndianWriter(count: PVHStartInformation.size)
        start.set(UInt32(0x336E_C578), at: 0)
        start.set(UInt32(1), at: 4)
        start.set(UInt32(modules.count), at: 12)
        start.set(modules.isEmpty ? 0 : lists, at: 16)
        start.set(commandLine, at: 24)
        start.set(rootPointer, at: 32)
        start.set(lists + UInt64(modules.count) * 32, at: 40)
        start.set(UInt32(memory.count), at: 48)
        return start.bytes
    }

    /// The lists: a module has its address, size and command line, of which there is none, and a reserved word; a range
    /// of memory its address, size, kind as E820 has it, and a reserved half word.
    var lists: [UInt8] {
        var lists = LittleEndianWriter([])
        for module in modules { for word in [module.start, module.size, 0, 0] { lists.append(word) } }
        for range in memory {
            lists.append(range.base)
            lists.append(range.size)
            lists.append(UInt64(range.kind.rawValue))
        }
        return lists.bytes
    }
}
