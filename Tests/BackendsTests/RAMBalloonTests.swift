// SPDX-License-Identifier: Apache-2.0

import Backends
import Glibc
import Host
import MachineCore
import Synchronization
import SystemPackage
import Testing
import VMMemory

/// Guest memory of 8 MiB, all touched, with a balloon.
private final class Rig: Sendable {
    static let base = GuestAddress(0x8000_0000)

    let ram: GuestRAM
    let memory: GuestMemory
    let balloon: RAMBalloon
    let answers = Notes<UInt64>()

    init(backing: GuestRAM.Backing = .anonymous) throws {
        ram = try GuestRAM(size: 8 << 20, backing: backing)
        memory = unsafe GuestMemory(regions: [MemoryRegion(base: Self.base, size: ram.size, host: ram.base)])
        balloon = try RAMBalloon(ram, memory: memory) { [answers] in answers.add($0) }
        memory.fill(at: Self.base, count: ram.size, with: 0xA5)
    }

    deinit { balloon.close() }

    static func pages(_ first: UInt64, _ count: UInt64 = 1) -> MemorySegment {
        MemorySegment(address: base + first * 4096, count: count * 4096)
    }

    /// Performs `operation` and waits for its answer.
    func perform(_ operation: BalloonOperation) {
        balloon.submit(BalloonRequest(token: 7, operation: operation))
        balloon.drain()
    }

    /// How many of `pages` from `first` on the host backs with memory now.
    func resident(_ first: Int, _ pages: Int) -> Int {
        var map = [UInt8](repeating: 0, count: pages)
        let result = unsafe mincore(ram.base + first * 4096, pages * 4096, &map)
        return result == 0 ? map.count { $0 & 1 != 0 } : -1
    }

    func byte(ofPage page: UInt64) -> UInt8? { memory.load(UInt8.self, at: Self.base + page * 4096) }

    private static func read(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                if count == 0 { return text }
                text += buffer[..<count]
            }
        }
    }

    /// What the kernel has noted of the mapping that holds page `page`: `nh` for no huge pages, `hg` for huge ones.
    func flags(ofPage page: Int) -> [Substring] {
        let address = unsafe UInt(bitPattern: ram.base) + UInt(page) * 4096
        let text = (try? Self.read("/proc/self/smaps")) ?? []
        var isHere = false
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 { isHere = ends[0] <= address && address < ends[1] }
            if isHere, words[0] == "VmFlags:" { return Array(words.dropFirst()) }
        }
        return []
    }
}

private let hasHugePages = access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0

@Suite("a balloon over guest memory")
struct RAMBalloonTests {
    @Test(
        "gives pages back to the host: they cost nothing and read as zero",
        arguments: [GuestRAM.Backing.anonymous, .shared])
    fileprivate func inflate(backing: GuestRAM.Backing) throws {
        let rig = try Rig(backing: backing)
        rig.perform(.inflate([Rig.pages(1, 2), Rig.pages(100)]))
        #expect(rig.resident(0, 4) == 2)
        #expect(rig.resident(100, 1) == 0)
        #expect([0, 1, 2, 3, 100].map(rig.byte) == [0xA5, 0, 0, 0xA5, 0])
        #expect(rig.balloon.discardedBytes == 3 * 4096)
    }

    @Test("answers each request, in order")
    func answers() throws {
        let rig = try Rig()
        for token in UInt64(0)..<5 {
            rig.balloon.submit(BalloonRequest(token: token, operation: .discard([Rig.pages(token)])))
        }
        #expect(rig.answers.wait(for: 5) == [0, 1, 2, 3, 4])
    }

    @Test("nothing but the pages named is lost")
    func precision() throws {
        let rig = try Rig()
        rig.perform(.discard([Rig.pages(512, 512), Rig.pages(1030)]))
        #expect((0..<2048).filter { rig.byte(ofPage: UInt64($0)) == 0 } == Array(512..<1024) + [1030])
    }

    @Test("who made something of a page hears of it, as of a write")
    func writeHook() throws {
        let rig = try Rig()
        let written = Notes<UInt64>()
        rig.memory.writeHook.listenForCode(written.add)
        let page = (Rig.base + 3 * 4096).page
        _ = rig.memory.writeHook.mark(page, .code)
        rig.perform(.discard([Rig.pages(2, 4)]))
        #expect(written.all == [page])
    }

    @Test("a block with a page in the balloon gets no huge page until the last has left", .enabled(if: hasHugePages))
    func hugePages() throws {
        let rig = try Rig()
        rig.perform(.inflate([Rig.pages(600), Rig.pages(700)]))
        #expect(rig.flags(ofPage: 512).contains("nh"))
        #expect(rig.flags(ofPage: 511).contains("hg"))
        #expect(rig.flags(ofPage: 1024).contains("hg"))
        rig.perform(.deflate([Rig.pages(600)]))
        #expect(rig.flags(ofPage: 512).contains("nh"))
        rig.perform(.deflate([Rig.pages(700)]))
        #expect(rig.flags(ofPage: 512).contains("hg"))
    }

    @Test("forgets what was in it", .enabled(if: hasHugePages))
    func forget() throws {
        let rig = try Rig()
        rig.perform(.inflate([Rig.pages(0), Rig.pages(2000)]))
        rig.perform(.forget)
        #expect(rig.flags(ofPage: 0).contains("hg"))
        #expect(rig.flags(ofPage: 2000).contains("hg"))
    }

    @Test("a page that left the balloon is written and kept")
    func reuse() throws {
        let rig = try Rig()
        rig.perform(.inflate([Rig.pages(9)]))
        rig.perform(.deflate([Rig.pages(9)]))
        rig.memory.store(UInt8(1), at: Rig.base + 9 * 4096)
        rig.perform(.deflate([Rig.pages(9)]))
        #expect(rig.byte(ofPage: 9) == 1)
    }

    @Test("answers what comes after its end, and touches nothing")
    func closed() throws {
        let rig = try Rig()
        rig.balloon.close()
        rig.balloon.submit(BalloonRequest(token: 1, operation: .discard([Rig.pages(0)])))
        #expect(rig.answers.all == [1])
        #expect(rig.byte(ofPage: 0) == 0xA5)
    }
}

@Suite("the pages in a balloon")
struct BalloonedPagesTests {
    private static let block: UInt64 = 2 << 20

    @Test("a page counts once, however often it is added")
    func twice() {
        var pages = BalloonedPages(size: 4 * Self.block)
        #expect(pages.add(4096..<8192) == [0..<Self.block])
        #expect(pages.add(0..<8192) == [])
        #expect(pages.remove(4096..<8192) == [])
        #expect(pages.remove(4096..<8192) == [])
        #expect(pages.remove(0..<4096) == [0..<Self.block])
    }

    @Test("blocks beside each other change as one range, the last one cut where memory ends")
    func joined() {
        var pages = BalloonedPages(size: 2 * Self.block + 4096)
        #expect(pages.add(0..<2 * Self.block + 4096) == [0..<2 * Self.block + 4096])
        #expect(pages.contains(2 * Self.block))
    }

    @Test("all leave at once")
    func all() {
        var pages = BalloonedPages(size: 4 * Self.block)
        _ = pages.add(0..<4096)
        _ = pages.add(3 * Self.block..<3 * Self.block + 4096)
        #expect(pages.removeAll() == [0..<Self.block, 3 * Self.block..<4 * Self.block])
        #expect(!pages.contains(0))
        #expect(pages.removeAll() == [])
    }

    @Test("nothing leaves that was never in")
    func absent() {
        var pages = BalloonedPages(size: Self.block)
        #expect(pages.remove(0..<Self.block) == [])
    }
}
