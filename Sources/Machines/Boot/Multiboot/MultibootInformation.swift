// SPDX-License-Identifier: Apache-2.0

/// What a Multiboot kernel finds at the address in EBX (Multiboot 0.6.96 §3.3), and the lists that it points to.
struct MultibootInformation: Sendable {
    /// A file that was loaded beside the kernel, and its command line.
    struct Module: Sendable {
        let span: BootPlan.Span
        let commandLine: String
    }

    let commandLine: UInt64
    let modules: [Module]
    let memory: [AddressRange]

    private static let loaderName = "apus"
    /// Bytes of an entry of the module list and of the memory map.
    private static let moduleSize = 16
    private static let rangeSize = 24

    /// The information, with its lists at address `lists`.
    func bytes(lists: UInt64) -> [UInt8] {
        // §3.3: 0 memory sizes, 2 command line, 3 modules, 6 memory map, 9 the loader's name.
        let flags: UInt32 = 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9
        let map = lists + UInt64(modules.count * Self.moduleSize)
        let strings = map + UInt64(memory.count * Self.rangeSize)
        var information = LittleEndianWriter(count: 116)
        information.set(flags, at: 0)
        information.set(UInt32(lowerMemory >> 10), at: 4)
        information.set(UInt32(clamping: upperMemory >> 10), at: 8)
        information.set(UInt32(commandLine), at: 16)
        information.set(UInt32(modules.count), at: 20)
        information.set(UInt32(lists), at: 24)
        information.set(UInt32(memory.count * Self.rangeSize), at: 44)
        information.set(UInt32(map), at: 48)
        information.set(UInt32(strings), at: 64)
        return information.bytes
    }

    /// The lists for address `address`: modules, the memory map, the loader's name and the modules' command lines.
    func lists(at address: UInt64) -> [UInt8] {
        var strings = LittleEndianWriter(Array(Self.loaderName.utf8) + [0])
        let start = address + UInt64(modules.count * Self.moduleSize + memory.count * Self.rangeSize)
        var lists = LittleEndianWriter([])
        for module in modules {
            lists.append(UInt32(module.span.start))
            lists.append(UInt32(module.span.end))
            lists.append(UInt32(start + UInt64(strings.bytes.count)))
            lists.append(UInt32(0))
            strings.append(Array(module.commandLine.utf8) + [0])
        }
        for range in memory {
            // The size of an entry does not count itself.
            lists.append(UInt32(Self.rangeSize - 4))
            lists.append(range.base)
            lists.append(range.size)
            lists.append(range.kind.rawValue)
        }
        return lists.bytes + strings.bytes
    }

    /// RAM from 0, and from 1 MiB to the first hole.
    private var lowerMemory: UInt64 { memory.first { $0.base == 0 && $0.kind == .memory }?.size ?? 0 }
    private var upperMemory: UInt64 {
        memory.first { $0.base == PCMemoryMap.extendedBase && $0.kind == .memory }?.size ?? 0
    }
}
