// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    /// Guests that do badly beside guests that work: eight at once with `APUS_LONG_TESTS=1`, five otherwise.
    @Suite(
        "A crowd of guests",
        .enabled(
            if: Surroundings.isLong, "APUS_LONG_TESTS is not set: it keeps both of the host's CPUs busy for minutes"),
        .enabled(if: ExtendedDisk.areToolsThere, "e2fsprogs is not installed"))
    struct CrowdTests {
        private static let workers = (1...(Surroundings.isLong ? 4 : 1)).map { "worker\($0)" }
        private static let troublemakers = ["killed", "panics", "fills", "floods"]
        private let home: GuestHome
        private let disk: ExtendedDisk

        init() throws {
            home = try GuestHome()
            disk = try ExtendedDisk(megabytes: 16)
        }

        private static let job = "for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero; echo $i; done | sha256sum"

        private func make(_ name: String) throws {
            let network = name == "floods" ? "user" : "none"
            let disks = name == "fills" ? ["--disk", disk.path] : []
            try home.succeed(
                ["create", "--name", name, "--memory", "128M", "--net", network] + disks + ["debian-micro"])
        }

        @Test("what one does harms no other, and the list tells what became of each")
        func crowd() throws {
            let all = Self.troublemakers + Self.workers
            for name in all { try make(name) }
            try home.succeed(["start"] + all, seconds: 600)
            for name in all { #expect(try home.shell(name, "echo up", seconds: 600) == "up\n") }
            #expect(try home.running().count == all.count)

            let jobs = try Self.workers.map { try home.begin(["exec", $0, "--", "sh", "-c", Self.job], out: $0) }
            let flood = try home.begin(
                [
                    "exec", "floods", "--", "sh", "-c",
                    "yes flood >/dev/console & while :; do wget -q -T 1 -O /dev/null http://10.0.2.2:9/; done",
                ], out: "flood")
            let full = try home.apus(
                ["exec", "fills", "--", "sh", "-c", "mount /dev/vda /mnt && cat /dev/zero >/mnt/zero"], seconds: 600)
            #expect(full.status == 1)
            #expect(full.errors.contains("No space left"))
            try home.apus(["exec", "panics", "--", "sh", "-c", "echo c >/proc/sysrq-trigger"], seconds: 600)
            kill(try home.process("killed"), SIGKILL)

            let expected = try Surroundings.run("/bin/sh", ["-c", Self.job]).output
            #expect(holds(within: 900) { jobs.allSatisfy { !$0.isRunning } })
            #expect(Self.workers.map { home.text($0) } == Self.workers.map { _ in expected })
            #expect(try holds(within: 60) { try home.states()["panics"] == "stopped" })
            let states = try home.states()
            #expect(states["killed"] == "lost")
            let rest = Self.workers + ["fills", "floods"]
            #expect(rest.allSatisfy { states[$0] == "running" })
            #expect(try home.apus(["wait", "panics"]).status == 70)

            try home.succeed(["stop", "--timeout", "120"] + rest, seconds: 600)
            flood.waitUntilExit()
            #expect(try home.running() == [])
            #expect(try home.list(all: true).count == all.count)
        }
    }
}
