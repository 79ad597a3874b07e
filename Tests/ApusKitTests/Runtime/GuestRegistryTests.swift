// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@testable import ApusKit

@Suite("GuestRegistry", .timeLimit(.minutes(10)))
struct GuestRegistryTests {
    private let rig: RuntimeRig
    private var registry: GuestRegistry { rig.registry }

    init() throws { rig = try RuntimeRig() }

    @Test("a guest is listed with its record from its creation to its removal")
    func life() throws {
        let entry = try registry.create(try rig.draft("web"))
        let listed = try registry.list()
        #expect(listed.map(\.id) == [entry.id])
        #expect(listed.first?.name?.rawValue == "web")
        entry.remove()
        #expect(try registry.list() == [])
        #expect(rig.names == [])
    }

    @Test("what a guest's process publishes replaces the starter's record")
    func publish() throws {
        let entry = try registry.create(try rig.draft())
        var record = try #require(try registry.list().first)
        record.sandbox = "landlock, seccomp"
        record.cpuCount = 3
        try entry.publish(record)
        #expect(try registry.list() == [record])
    }

    @Test("a second guest of the same name is refused while the first lives, with its ID and process")
    func uniqueName() throws {
        let entry = try registry.create(try rig.draft("web"))
        let error = #expect(throws: VirtualMachineError.self) { _ = try registry.create(try rig.draft("web")) }
        #expect(error?.description.contains("'web' runs already (ID \(entry.id), process \(getpid()))") == true)
        entry.close()
        let next = try registry.create(try rig.draft("web"))
        #expect(try registry.list().map(\.id) == [next.id])
    }

    @Test("a guest whose process was killed is gone from the list, and so is its folder")
    func killed() throws {
        let (entry, process) = try rig.guestProcess("web")
        try Data().write(to: URL(fileURLWithPath: entry.controlSocket.string))
        #expect(try registry.list().map(\.id) == [entry.id])
        process.signal(SIGKILL)
        #expect(process.wait() == .signalled(SIGKILL))
        #expect(try registry.list() == [])
        #expect(rig.names == [])
    }

    @Test("a guest lives on when the one who started it has let go, and its name stays taken")
    func orphan() throws {
        let (_, process) = try rig.guestProcess("web")
        defer {
            process.signal(SIGKILL)
            _ = process.wait()
        }
        #expect(try registry.list().count == 1)
        #expect(throws: VirtualMachineError.self) { _ = try registry.create(try rig.draft("web")) }
    }

    @Test("the inherited lock is taken over, and no other file passes for it")
    func adoption() throws {
        let entry = try registry.create(try rig.draft())
        let inherited = try Descriptor.duplicating(entry.lockDescriptor.rawValue).take()
        let adopted = try GuestEntry.adopt(folder: entry.folder, lock: inherited)
        entry.close()
        #expect(try registry.isAlive(adopted.id))
        let other = try Descriptor.open("/dev/null", .readWrite).take()
        #expect(throws: VirtualMachineError.self) { _ = try GuestEntry.adopt(folder: entry.folder, lock: other) }
        adopted.close()
        #expect(try !registry.isAlive(adopted.id))
    }

    @Test(
        "what a starter left that was killed between two steps is cleared by the next look",
        arguments: [
            (".0123456789ab", []), (".0123456789ab", ["lock"]), (".0123456789ab", ["lock", "record.json"]),
            ("0123456789ab", ["lock", "record.json"]), ("0123456789ab", []), ("nonsense", ["x"]),
        ] as [(String, [String])])
    func leftovers(_ name: String, _ files: [String]) throws {
        try rig.leftover(name, files: files)
        #expect(try registry.list() == [])
        #expect(rig.names == [])
    }

    @Test("clearing follows no symbolic link out of the folder")
    func link() throws {
        let outside = rig.path.appending("outside")
        try Directory.make(outside)
        try rig.leftover("0123456789ab", files: ["lock"])
        try FileManager.default.createSymbolicLink(
            atPath: rig.guests.appending("0123456789ab/link").string, withDestinationPath: outside.string)
        #expect(try registry.list() == [])
        #expect(FileIdentity(outside) != nil)
    }

    @Test("whoever decides upon a new guest hears of those that run, and a refusal leaves nothing")
    func admission() throws {
        let entry = try registry.create(try rig.draft("web"))
        let refusal = VirtualMachineError(.host, "no room beside \(entry.id)")
        #expect(throws: refusal) {
            _ = try registry.create(try rig.draft()) { running throws(VirtualMachineError) in
                throw VirtualMachineError(.host, "no room beside \(running.map(\.id.rawValue).joined())")
            }
        }
        #expect(rig.names == [entry.id.rawValue])
    }

    @Test("of many who start a guest of one name at once, one does")
    func race() async throws {
        let rig = rig
        let entries = await withTaskGroup(of: GuestEntry?.self) { group in
            for _ in 0..<16 {
                group.addTask { try? rig.registry.create(try rig.draft("web")) }
            }
            return await group.reduce(into: [GuestEntry]()) { if let entry = $1 { $0.append(entry) } }
        }
        #expect(try registry.list().count == 1)
        #expect(entries.count == 1)
    }

    @Test("nobody's clearing takes an entry that another one is just making")
    func clearingDuringCreation() async throws {
        let rig = rig
        let lost = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var lost = 0
                    for _ in 0..<15 {
                        // A dead one beside it, so that there is always something to clear.
                        (try? rig.registry.create(rig.draft()))?.close()
                        guard let entry = try? rig.registry.create(try rig.draft("guest-\(worker)")) else {
                            lost += 1
                            continue
                        }
                        let isListed = try? rig.registry.list().contains { $0.id == entry.id }
                        if isListed != true { lost += 1 }
                        entry.remove()
                    }
                    return lost
                }
            }
            return await group.reduce(0, +)
        }
        #expect(lost == 0)
        #expect(try registry.list() == [])
        #expect(rig.names == [])
    }

    @Test("a name, an ID and the beginning of one find a guest")
    func find() throws {
        let entry = try registry.create(try rig.draft("web"))
        #expect(try registry.find("web").id == entry.id)
        #expect(try registry.find(entry.id.rawValue).id == entry.id)
        #expect(try registry.find(String(entry.id.rawValue.prefix(4))).id == entry.id)
    }

    @Test("a guest that does not run is refused with those that do")
    func notFound() throws {
        #expect(throws: VirtualMachineError(.state, "no guest 'db' runs; none does")) { _ = try registry.find("db") }
        let entries = [try registry.create(try rig.draft("web")), try registry.create(try rig.draft("mail"))]
        let error = #expect(throws: VirtualMachineError.self) { _ = try registry.find("db") }
        #expect(error?.description.hasPrefix("no guest 'db' runs; running are ") == true)
        #expect(error?.description.contains("web") == true)
        #expect(entries.count == 2)
    }

    @Test("the beginning of several IDs is refused with all of them")
    func ambiguous() throws {
        // With 17 guests two begin with the same digit.
        let entries = try (0..<17).map { _ in try registry.create(try rig.draft()) }
        let digits = Dictionary(grouping: entries.map(\.id.rawValue)) { $0.prefix(1) }
        let (digit, several) = try #require(digits.first { $0.value.count > 1 })
        let error = #expect(throws: VirtualMachineError.self) { _ = try registry.find(String(digit)) }
        #expect(error?.description.hasPrefix("'\(digit)' fits several guests: ") == true)
        #expect(several.allSatisfy { error?.description.contains($0) == true })
        // They live until here: a guest whose entry is let go of is cleared.
        #expect(entries.count == 17)
    }

    @Test("a guest is found by its process")
    func process() throws {
        let entry = try registry.create(try rig.draft())
        #expect(try registry.guest(process: getpid())?.id == entry.id)
        #expect(try registry.guest(process: 1) == nil)
    }
}
