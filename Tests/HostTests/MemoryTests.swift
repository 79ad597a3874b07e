// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage
import Testing

@Suite struct GuestRAMTests {
    @Test(
        "memory is zero, writable to its last byte and aligned to huge pages",
        arguments: [.anonymous, .shared] as [GuestRAM.Backing])
    func basics(backing: GuestRAM.Backing) throws {
        let ram = try GuestRAM(size: 3 << 20, backing: backing)
        #expect(UInt(bitPattern: ram.base) % UInt(GuestRAM.alignment) == 0)
        let last = ram.base + Int(ram.size) - 1
        #expect(last.load(as: UInt8.self) == 0)
        last.storeBytes(of: 0xA5, as: UInt8.self)
        #expect(last.load(as: UInt8.self) == 0xA5)
        #expect((ram.sharedFile != nil) == (backing == .shared))
    }

    @Test("released pages read as zero again", arguments: [.anonymous, .shared] as [GuestRAM.Backing])
    func release(backing: GuestRAM.Backing) throws {
        let ram = try GuestRAM(size: 1 << 20, backing: backing)
        ram.base.storeBytes(of: 1, toByteOffset: 8192, as: UInt8.self)
        ram.base.storeBytes(of: 2, toByteOffset: 12288, as: UInt8.self)
        try ram.release(8192..<12288)
        #expect(ram.base.load(fromByteOffset: 8192, as: UInt8.self) == 0)
        #expect(ram.base.load(fromByteOffset: 12288, as: UInt8.self) == 2)
    }

    @Test(
        "a size that is no whole number of pages, or absurd, is refused",
        arguments: [0, 1, 4095, 1 << 46, .max - 4095] as [UInt64])
    func refused(size: UInt64) {
        #expect(throws: HostError.self) { try GuestRAM(size: size) }
    }

    @Test("the bytes past the end and before the start are guards", arguments: [-1, 1 << 20])
    func guards(offset: Int) async {
        await #expect(processExitsWith: .failure) { [offset] in
            let ram = try GuestRAM(size: 1 << 20)
            (ram.base + offset).storeBytes(of: 1, as: UInt8.self)
            exit(0)
        }
    }

    @Test("a thousand mappings leave neither descriptors nor address space behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            for _ in 0..<1000 {
                _ = try GuestRAM(size: 64 << 30, backing: .shared)
                _ = try GuestRAM(size: 1 << 30)
            }
            let maps = try TextFile.read("/proc/self/maps", limit: 1 << 20)
            exit(settles { openDescriptors() < before + 50 } && !maps.contains("apus-guest-ram") ? 0 : 1)
        }
    }
}
