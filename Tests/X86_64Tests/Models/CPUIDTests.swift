// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("CPUID leaves (Intel SDM Vol 2A \"CPUID\")")
struct CPUIDTests {
    private func cpuid(
        _ model: String, _ leaf: UInt32, _ subleaf: UInt32 = 0, _ change: (inout CPUIDContext) -> Void = { _ in }
    ) throws -> CPUIDResult {
        var context = CPUIDContext()
        change(&context)
        return try CPUModel(parsing: model).cpuid(leaf, subleaf, context)
    }

    private static func bytes(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in [0, 8, 16, 24].map { (shift: UInt32) in UInt8(word >> shift & 255) } }
    }

    @Test(
        "leaf 0 says the vendor in EBX, EDX, ECX",
        arguments: [
            ("baseline", "GenuineIntel"), ("qemu64", "AuthenticAMD"), ("qemu64,vendor=GenuineIntel", "GenuineIntel"),
        ])
    func vendor(model: String, name: String) throws {
        let found = try cpuid(model, 0)
        let bytes = Self.bytes([found.ebx, found.edx, found.ecx])
        #expect(String(decoding: bytes, as: UTF8.self) == name)
    }

    @Test(
        "leaf 1 packs family, model and stepping",
        arguments: [("baseline", 0x306c4), ("qemu64", 0x60fb1), ("Opteron_G1", 0xf61), ("EPYC", 0x800f12)]
            as [(String, UInt32)])
    func signature(model: String, signature: UInt32) throws {
        #expect(try cpuid(model, 1).eax == signature)
    }

    @Test("leaf 1 follows CR4.OSXSAVE and the APIC's enable")
    func dynamic() throws {
        #expect(try cpuid("baseline", 1).ecx & 1 << 27 == 0)
        #expect(try cpuid("baseline", 1) { $0.cr4 = CR4.osxsave }.ecx & 1 << 27 != 0)
        #expect(try cpuid("baseline", 1).edx & 1 << 9 != 0)
        #expect(try cpuid("baseline", 1) { $0.apicEnabled = false }.edx & 1 << 9 == 0)
        #expect(try cpuid("max", 7) { $0.cr4 = CR4.pke }.ecx & 1 << 4 != 0)
        #expect(try cpuid("max", 7).ecx & 1 << 4 == 0)
    }

    @Test("leaf 1 has HTT and the count where there are several processors")
    func count() throws {
        #expect(try cpuid("baseline", 1).edx & 1 << 28 == 0)
        let found = try cpuid("baseline", 1) {
            $0.processors = 6; $0.apicID = 5
        }
        #expect(found.edx & 1 << 28 != 0)
        #expect(found.ebx >> 16 & 255 == 6)
        #expect(found.ebx >> 24 == 5)
    }

    @Test(
        "leaf BH shifts an APIC id past all the cores",
        arguments: [(1, 0), (2, 1), (3, 2), (4, 2), (8, 3), (9, 4), (16, 4)] as [(UInt32, UInt32)])
    func topology(processors: UInt32, shift: UInt32) throws {
        let threads = try cpuid("baseline", 0xb, 0) { $0.processors = processors }
        #expect(threads == CPUIDResult(eax: 0, ebx: 1, ecx: 0x100, edx: 0))
        let cores = try cpuid("baseline", 0xb, 1) {
            $0.processors = processors; $0.apicID = processors - 1
        }
        #expect(cores == CPUIDResult(eax: shift, ebx: processors, ecx: 0x201, edx: processors - 1))
        #expect(try cpuid("baseline", 0xb, 2).ebx == 0)
    }

    @Test(
        "leaf DH gives the sizes of the XSAVE areas",
        arguments: [
            (1, 576, 832), (3, 576, 832), (7, 832, 832),
        ] as [(UInt64, UInt32, UInt32)])
    func xsave(xcr0: UInt64, size: UInt32, most: UInt32) throws {
        #expect(try cpuid("baseline", 0xd) { $0.xcr0 = xcr0 } == CPUIDResult(eax: 7, ebx: size, ecx: most, edx: 0))
        #expect(try cpuid("baseline", 0xd, 2) == CPUIDResult(eax: 256, ebx: 576, ecx: 0, edx: 0))
        #expect(try cpuid("baseline", 0xd, 9) == CPUIDResult())
    }

    @Test("protection keys lie behind AVX, and right after it in the compacted form")
    func keys() throws {
        #expect(try cpuid("max", 0xd) { $0.xcr0 = 0x207 } == CPUIDResult(eax: 0x207, ebx: 2696, ecx: 2696, edx: 0))
        #expect(try cpuid("max", 0xd, 1) { $0.xcr0 = 0x207 }.ebx == 840)
        #expect(try cpuid("max", 0xd, 9) == CPUIDResult(eax: 8, ebx: 2688, ecx: 0, edx: 0))
    }

    @Test(
        "leaf 15H gives the frequency exactly in Linux's 32-bit arithmetic, or nothing",
        arguments: [
            (1_000_000, 1, 1), (2_100_000, 10, 21), (2_999_000, 1000, 2999), (2_999_999, 0, 0), (2_500_000, 2, 5),
            (24_000, 125, 3),
        ] as [(UInt32, UInt32, UInt32)])
    func clock(kilohertz: UInt32, denominator: UInt32, numerator: UInt32) throws {
        let found = try cpuid("baseline", 0x15) { $0.tscKilohertz = kilohertz }
        #expect(found.eax == denominator)
        #expect(found.ebx == numerator)
        #expect(found.ecx == (denominator == 0 ? 0 : 1_000_000_000))
        #expect(try cpuid("baseline", 0x4000_0010) { $0.tscKilohertz = kilohertz }.eax == kilohertz)
    }

    @Test("without the hypervisor bit there are no leaves of a hypervisor")
    func bare() throws {
        #expect(try cpuid("baseline", 0x4000_0000).ebx == 0x4b4d_564b)
        #expect(try cpuid("max,-hypervisor", 0x4000_0000) == CPUIDResult())
    }

    @Test("past the last basic leaf Intel answers with the last, AMD with zero")
    func past() throws {
        #expect(try cpuid("Haswell", 0x17) == cpuid("Haswell", 0xd))
        #expect(try cpuid("qemu64", 0x17) == CPUIDResult())
    }

    @Test("AMD repeats leaf 1's bits in 8000_0001H, Intel does not")
    func aliases() throws {
        #expect(try cpuid("qemu64", 0x8000_0001).edx & 1 == 1)
        #expect(try cpuid("baseline", 0x8000_0001).edx & 1 == 0)
        #expect(try cpuid("Opteron_G1", 0x8000_0001).edx >> 29 & 1 == 1)
    }

    @Test(
        "8000_0008H says how wide addresses are",
        arguments: [
            ("baseline", 0x3028), ("max", 0x3928), ("max,-la57", 0x3028), ("qemu32", 0x2028),
            ("max,phys-bits=52", 0x3934),
        ] as [(String, UInt32)])
    func widths(model: String, widths: UInt32) throws {
        #expect(try cpuid(model, 0x8000_0008).eax == widths)
    }

    @Test("the brand is spelt in three leaves")
    func brand() throws {
        let words = try [0x8000_0002, 0x8000_0003, 0x8000_0004].flatMap { (leaf: UInt32) -> [UInt32] in
            let found = try cpuid("qemu64", leaf)
            return [found.eax, found.ebx, found.ecx, found.edx]
        }
        let bytes = Self.bytes(words).prefix { $0 != 0 }
        #expect(String(decoding: bytes, as: UTF8.self) == "QEMU Virtual CPU version 2.5+")
    }
}
