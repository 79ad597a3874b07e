// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    /// Starts a kept guest, kills its process at a random moment, and starts it again: `APUS_CYCLES` times (200 by
    /// hand).
    @Suite("Kills and restarts", .enabled(if: ExtendedDisk.areToolsThere, "e2fsprogs is not installed"))
    struct CrashCycleTests {
        private let home: GuestHome
        private let disk: ExtendedDisk

        init() throws {
            home = try GuestHome()
            disk = try ExtendedDisk(megabytes: 128)
        }

        /// Mounts (the journal is replayed by that), looks for what was synced, then writes numbered files and says each
        /// number once it is synced.
        private static let writer = """
            mount /dev/vda /mnt || exit 1
            dmesg | grep -E 'EXT4-fs (error|warning)' && exit 2
            cd /mnt || exit 3
            i=0
            while [ $i -lt $1 ]; do
                i=$((i + 1))
                read -r kept <f$i && [ "$kept" = $i ] || { echo "lost $i"; exit 4; }
            done
            echo checked
            while :; do
                i=$((i + 1))
                echo $i >f$i && sync && echo $i
            done
            """

        /// One life of the guest, whose end comes while it boots or while it writes: the last number that was synced.
        private func live(_ cycle: Int, after synced: Int) throws -> Int {
            try home.succeed(["start", "cycle"])
            let writing = Int.random(in: 0..<4) == 0 ? nil : try write(cycle, after: synced)
            Thread.sleep(forTimeInterval: .random(in: 0...1.5))
            let process = try home.process("cycle")
            kill(process, SIGKILL)
            writing?.waitUntilExit()
            // It may die between the looks of one `list`; the next one clears what it left.
            let isGone = try holds(within: 30) {
                try home.running().isEmpty && home.runtimeEntries().isEmpty && !isThere(process)
            }
            guard isGone else {
                throw ApusProgram.Trouble(description: "cycle \(cycle): something is left of the killed guest")
            }
            let damage = try disk.damageBehindJournal()
            guard damage.isEmpty else { throw ApusProgram.Trouble(description: "cycle \(cycle): \(damage)") }
            return writing == nil ? synced : max(synced, written)
        }

        /// Begins to write; what was synced before is all there.
        private func write(_ cycle: Int, after synced: Int) throws -> Process {
            let writing = try home.begin(
                ["exec", "cycle", "--", "sh", "-c", Self.writer, "sh", "\(synced)"], out: "out")
            let hasBegun = holds(within: 240) { home.text("out").contains("checked\n") || !writing.isRunning }
            guard hasBegun, writing.isRunning else {
                throw ApusProgram.Trouble(description: "cycle \(cycle) after \(synced): \(home.text("out"))")
            }
            return writing
        }

        /// The last number that a guest has said it synced; the last line may be cut off.
        private var written: Int {
            let lines = home.text("out").split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            return lines.compactMap { Int($0) }.last ?? 0
        }

        @Test("nothing that was synced is lost, and the file system is whole")
        func cycle() throws {
            try home.succeed(
                ["create", "--name", "cycle", "--memory", "128M", "--net", "none", "--disk", disk.path, "debian-micro"])
            let synced = try (1...Surroundings.cycles).reduce(0) { synced, cycle in try live(cycle, after: synced) }
            #expect(synced > 0)
            try home.succeed(["start", "cycle"])
            let last = try home.shell("cycle", "mount /dev/vda /mnt && cat /mnt/f\(synced)")
            #expect(last == "\(synced)\n")
            try home.succeed(["stop", "--timeout", "60", "cycle"])
            #expect(try disk.damage() == "")
        }
    }
}
