// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@testable import ApusKit

@Suite("GuestJournal", .timeLimit(.minutes(10)))
struct GuestJournalTests {
    private let rig: RuntimeRig
    private var record: GuestRecord { get throws { try rig.draft("web") } }

    init() throws { rig = try RuntimeRig() }

    private func read(since start: Double = 0) async -> [GuestEvent] {
        var reader = GuestJournalReader(folder: rig.path, since: start, follows: false)
        var events: [GuestEvent] = []
        while let event = await reader.next() { events.append(event) }
        return events
    }

    @Test("a machine's events are told in their order, with how it ended")
    func events() async throws {
        let journal = try GuestJournal(rig.path, record: try record)
        let end = VirtualMachineEnd(reason: .poweredOff(code: 3))
        let told: [VirtualMachine.Event] = [
            .state(.running), .state(.paused), .state(.running), .restarted, .panicked("no init"), .console("x"),
            .state(.ended), .ended(end),
        ]
        for event in told { journal.write(event) }
        let events = await read()
        #expect(events.map(\.kind) == [.started, .paused, .resumed, .restarted, .panicked, .ended])
        #expect(events.last?.status == 3)
        #expect(events[4].detail == "no init")
        #expect(events.allSatisfy { $0.name?.rawValue == "web" })
    }

    @Test("words of a guest's choosing do not make a line too long to be told")
    func longWords() async throws {
        let journal = try GuestJournal(rig.path, record: try record)
        journal.write(.panicked(String(repeating: "\u{1}", count: 100_000)))
        #expect(await read().map(\.kind) == [.panicked])
    }

    @Test("several guests write into one journal, and a reader begins where it is told")
    func several() async throws {
        let first = try GuestJournal(rig.path, record: try record)
        let second = try GuestJournal(rig.path, record: try rig.draft("db"))
        first.write(.state(.running))
        second.write(.state(.running))
        #expect(await read().map { $0.name?.rawValue } == ["web", "db"])
        #expect(await read(since: 1e12) == [])
    }

    @Test("a line that is no event is passed over")
    func nonsense() async throws {
        try TextFile.replace(GuestJournal.path(in: rig.path), with: "nonsense\n{}\n", isDurable: false)
        try GuestJournal(rig.path, record: try record).write(.restarted)
        #expect(await read().map(\.kind) == [.restarted])
    }

    @Test("a long journal is begun anew, and what it had is still told")
    func rotation() async throws {
        let record = try record
        let first = try GuestJournal(rig.path, record: record)
        while try Stat(GuestJournal.path(in: rig.path), followTargetSymlink: false).size <= GuestJournal.limit {
            first.write(.panicked(String(repeating: "x", count: 400)))
        }
        try GuestJournal(rig.path, record: record).write(.restarted)
        let events = await read()
        #expect(events.count > 1000)
        #expect(events.last?.kind == .restarted)
    }

    @Test("a reader that follows hears what comes")
    func follow() async throws {
        let folder = rig.path
        let heard = Task {
            var reader = GuestJournalReader(folder: folder, since: 0, follows: true)
            return await reader.next()
        }
        let journal = try GuestJournal(rig.path, record: try record)
        journal.write(.restarted)
        #expect(await heard.value?.kind == .restarted)
    }
}

@Suite("GuestLog")
struct GuestLogTests {
    private let rig: RuntimeRig

    init() throws { rig = try RuntimeRig() }

    private func read(tail: Int?, old: String?, new: String) async throws -> String {
        let path = rig.path.appending("console.log")
        try TextFile.replace(path, with: new, isDurable: false)
        if let old { try TextFile.replace(FilePath("\(path).1"), with: old, isDurable: false) }
        var log = GuestLog(path, tail: tail, following: nil)
        var bytes: [UInt8] = []
        while let piece = await log.next() { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("the older part comes first, and the last lines may begin in it")
    func parts() async throws {
        #expect(try await read(tail: nil, old: nil, new: "c\nd\n") == "c\nd\n")
        #expect(try await read(tail: nil, old: "a\nb\n", new: "c\nd\n") == "a\nb\nc\nd\n")
        #expect(try await read(tail: 3, old: "a\nb\n", new: "c\nd\n") == "b\nc\nd\n")
        #expect(try await read(tail: 1, old: "a\nb\n", new: "c\nd\n") == "d\n")
        #expect(try await read(tail: 0, old: "a\nb\n", new: "c\nd\n") == "")
    }
}
