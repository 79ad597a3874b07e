// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Several guests")
    struct GuestsTests {
        private let home: GuestHome
        private static let options = ["--memory", "128M", "--net", "none", "debian-micro"]

        init() throws { home = try GuestHome() }

        @Test("two guests are listed, controlled and ended by name, and a killed one is gone from the list")
        func life() throws {
            for name in ["web", "db"] { try home.succeed(["create", "--name", name] + Self.options) }
            try home.succeed(["start", "web", "db"])
            #expect(try home.shell("web", "echo $((6 * 7))") == "42\n")
            #expect(try home.shell("db", "hostname; exit 0") == "debian-micro\n")
            #expect(try home.apus(["exec", "db", "--", "sh", "-c", "exit 9"]).status == 9)

            try home.succeed(["pause", "web"])
            #expect(try home.states() == ["web": "paused", "db": "running"])
            try home.succeed(["resume", "web"])
            #expect(try home.shell("web", "echo on") == "on\n")

            let again = try home.apus(["start", "web"])
            #expect(again.status == 125)
            #expect(again.errors.contains("guest 'web' runs already"))

            let process = try home.process("db")
            kill(process, SIGKILL)
            #expect(try holds(within: 30) { try home.states() == ["web": "running", "db": "lost"] })
            #expect(home.runtimeEntries().count == 1)

            try home.succeed(["stop", "--timeout", "60", "web"])
            #expect(try home.states() == ["web": "stopped", "db": "lost"])
            #expect(try home.succeed(["wait", "web"]) == "0\n")
            #expect(try home.apus(["wait", "db"]).status == 137)
            #expect(try home.succeed(["logs", "web"]).contains("debian-micro"))
            let events = try home.succeed(["events", "--since", "1h", "--until-now"])
            #expect(events.contains("web started"))
            #expect(events.contains("db lost"))
            try home.succeed(["remove", "web", "db"])
            #expect(try home.list(all: true) == [])
            #expect(home.runtimeEntries() == [])
        }

        @Test("a guest whose starter was killed ends with it, and leaves no process, lock or socket")
        func frontKilled() throws {
            let front = try home.begin(["run"] + Self.options, out: "console")
            #expect(holds(within: 120) { home.text("console").contains("debian-micro:/#") })
            let guest = try #require(try home.running().first)
            kill(front.processIdentifier, SIGKILL)
            front.waitUntilExit()
            #expect(holds(within: 30) { !isThere(guest.process) })
            #expect(try home.running() == [])
            #expect(home.runtimeEntries() == [])
        }

        @Test("a detached guest goes on when its starter has ended, and ends by its own")
        func detached() throws {
            let id = try home.succeed(["run", "--detach"] + Self.options).trimmingCharacters(
                in: .whitespacesAndNewlines)
            #expect(id.count == 12)
            #expect(try home.shell(id, "echo here") == "here\n")
            try home.apus(["exec", id, "--", "poweroff"])
            #expect(holds(within: 60) { home.runtimeEntries().isEmpty || (try? home.running()) == [] })
            #expect(try home.running() == [])
        }

        @Test("a guest whose process hangs is told from one that runs, holds up no other command, and can be ended")
        func unresponsive() throws {
            try home.succeed(["run", "--detach", "--name", "web"] + Self.options)
            let process = try home.process("web")
            kill(process, SIGSTOP)
            defer { kill(process, SIGKILL) }
            #expect(try home.states() == ["web": "unresponsive"])
            let paused = try home.apus(["pause", "web"])
            #expect(paused.status == 125)
            #expect(paused.errors.contains("process of guest 'web' (\(process)) does not answer"))
            try home.succeed(["kill", "web"])
            #expect(try home.states() == ["web": "lost"])
            #expect(home.runtimeEntries() == [])
        }

        @Test(
            "a disk that a guest has is refused to another, with the guest named",
            .enabled(if: ExtendedDisk.areToolsThere, "e2fsprogs is not installed"))
        func diskInUse() throws {
            let disk = try ExtendedDisk(megabytes: 16)
            try home.succeed(["run", "--detach", "--name", "web", "--disk", disk.path] + Self.options)
            let second = try home.apus(["run", "--disk", disk.path] + Self.options)
            #expect(second.status == 125)
            #expect(second.errors.contains("in use by guest 'web' (process \(try home.process("web")))"))
            try home.succeed(["kill", "web"])
        }
    }
}
