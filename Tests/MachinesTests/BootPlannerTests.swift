// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machines

@Suite struct BootPlannerTests {
    private static let base = VirtMemoryMap.memoryBase
    private static let tree: UInt64 = 8192

    private static func image(size: UInt64 = 0x10_0000, offset: UInt64 = 0x20_0000) -> BootFile {
        let fields = [offset, size, 0].flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        let bytes = [UInt8](repeating: 0x13, count: 8) + fields + [UInt8](repeating: 0, count: 24)
        return .bytes(bytes + Array("RSC\u{5}".utf8) + [0, 0, 0, 0], name: "Image")
    }

    private static func plan(_ source: BootSource, megabytes: UInt64 = 64) throws -> BootPlan {
        try BootPlanner.plan(source, memorySize: megabytes << 20, devicetreeSize: tree)
    }

    @Test("an Image starts in S-mode where its header says, hart 0 alone")
    func builtIn() throws {
        let plan = try Self.plan(BootSource(kernel: Self.image()))
        #expect(plan.entry == Self.base + 0x20_0000)
        #expect(plan.privilege == .supervisor)
        #expect(plan.startsBootHartAlone)
        #expect(plan.hostInterface == nil)
    }

    @Test("the devicetree is on top, the initrd below it, both within RAM and below 4 GiB", arguments: [64, 4096])
    func topDown(megabytes: UInt64) throws {
        let initrd = BootFile.bytes([UInt8](repeating: 1, count: 5000), name: "initrd")
        let plan = try Self.plan(BootSource(kernel: Self.image(), initrd: initrd), megabytes: megabytes)
        let top = min(Self.base + megabytes << 20, 1 << 32)
        let place = try #require(plan.initrd)
        #expect(plan.devicetree.end <= top)
        #expect(plan.devicetree.size >= Self.tree + 0x1_0000)
        #expect(place.end <= plan.devicetree.start)
        #expect(place.start % 4096 == 0)
        #expect(place.size == 5000)
    }

    @Test("a firmware starts in M-mode at the start of RAM, its kernel 2 MiB behind, and hears of it at a2")
    func firmware() throws {
        let firmware = BootFile.bytes([1, 2, 3, 4], name: "fw")
        let plan = try Self.plan(BootSource(firmware: .file(firmware), kernel: Self.image(offset: 0x40_0000)))
        #expect(plan.entry == Self.base)
        #expect(plan.privilege == .machine)
        #expect(!plan.startsBootHartAlone)
        let information = try #require(plan.firmwareInformation)
        let piece = try #require(plan.pieces.first { $0.address == information.start })
        let bytes = try piece.content.head()
        let words = (0..<6).map { index in
            bytes.dropFirst(index * 8).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        #expect(words == [0x4942_534F, 2, Self.base + 0x20_0000, 1, 0, 0])
    }

    @Test("a bare ELF starts where it is linked, and its tohost is found")
    func bare() throws {
        var elf = TestELF()
        elf.segments.append((0x8000_1000, 0x8000_1000, [0, 0, 0, 0], 12))
        elf.symbols = [("tohost", 0x8000_1000), ("fromhost", 0x8000_1008)]
        let plan = try Self.plan(BootSource(firmware: .none, kernel: .bytes(elf.bytes, name: "elf")))
        #expect(plan.entry == 0x8000_0000)
        #expect(plan.privilege == .machine)
        #expect(plan.hostInterface == BootPlan.HostInterface(toHost: 0x8000_1000, fromHost: 0x8000_1008))
    }

    @Test("an ELF kernel that is linked below RAM as a whole is moved to where an Image would be")
    func relocated() throws {
        var elf = TestELF()
        elf.entry = 0xFFFF_FFFF_8000_0004
        elf.segments = [(0xFFFF_FFFF_8000_0000, 0, [UInt8](repeating: 0x13, count: 16), 0)]
        let plan = try Self.plan(BootSource(kernel: .bytes(elf.bytes, name: "vmlinux")))
        #expect(plan.entry == Self.base + 0x20_0004)
        #expect(plan.pieces[0].address == Self.base + 0x20_0000)
    }

    /// A boot source that is refused. Its bytes stay out of the tests' output.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let text: String
        let source: BootSource
        var testDescription: String { text }

        init(_ text: String, _ source: BootSource) {
            self.text = text
            self.source = source
        }
    }

    @Test(
        "what does not fit is refused with the remedy",
        arguments: [
            Refusal("no kernel is given", BootSource(kernel: nil)),
            Refusal("no kernel is given", BootSource(firmware: .none, kernel: nil)),
            Refusal("'K' is empty", BootSource(kernel: .bytes([], name: "K"))),
            Refusal("'K' is neither a Linux Image", BootSource(kernel: .bytes([1, 2, 3], name: "K"))),
            Refusal("decompress it first", BootSource(kernel: .bytes([0x1F, 0x8B, 8], name: "K"))),
            Refusal("'/nonexistent/K' cannot be read", BootSource(kernel: .path("/nonexistent/K"))),
            Refusal("'/' cannot be read", BootSource(kernel: .path("/"))),
            Refusal("larger than the machine's RAM", BootSource(kernel: .path("/dev/zero"))),
            Refusal("give the machine more memory", BootSource(kernel: image(size: 100 << 20))),
            Refusal("give the machine more memory", BootSource(kernel: image(size: 62 << 20))),
            Refusal(
                "'I' and 'Image' do not fit", BootSource(kernel: image(), initrd: .bytes(zeroes(62 << 20), name: "I"))),
            Refusal("'I' is empty", BootSource(kernel: image(), initrd: .bytes([], name: "I"))),
            Refusal("needs an SBI", BootSource(firmware: .none, kernel: image())),
            Refusal("not a firmware", BootSource(firmware: .file(image()), kernel: nil)),
            Refusal("outside of RAM", BootSource(firmware: .none, kernel: .bytes(elf(at: 0x1_0000_0000), name: "E"))),
            Refusal("outside of RAM", BootSource(firmware: .none, kernel: .bytes(elf(at: 0x7FFF_FFFE), name: "E"))),
            Refusal("more memory", BootSource(firmware: .none, kernel: .bytes(elf(at: 0x83FF_FFFE), name: "E"))),
            Refusal(
                "outside of its own",
                BootSource(firmware: .none, kernel: .bytes(elf(at: 0x8000_0000, entry: 4), name: "E"))),
        ])
    func refused(refusal: Refusal) {
        let error = #expect(throws: MachineError.self) { _ = try Self.plan(refusal.source) }
        #expect(error?.description.contains(refusal.text) == true, "\(String(describing: error))")
    }

    private static func zeroes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    private static func elf(at address: UInt64, entry: UInt64? = nil) -> [UInt8] {
        var elf = TestELF()
        elf.entry = entry ?? address
        elf.segments = [(address, address, [0x13, 0, 0, 0], 0)]
        return elf.bytes
    }
}
