// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Memory")
    struct MemoryTests {
        /// Memory of a machine's process and its guest, as the host counts it.
        private struct Cost {
            let process: Int32

            /// The process of a machine.
            init(of machine: Int32) { process = machine }

            /// The machine's own process: what `apus` started last, or `apus` itself where it started none.
            init(front: Int32) {
                let children =
                    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(front)/task"))?
                    .compactMap { try? String(contentsOfFile: "/proc/\(front)/task/\($0)/children", encoding: .utf8) }
                    .flatMap { $0.split(separator: " ") }.compactMap { Int32($0) } ?? []
                let machines = children.filter { child in
                    let line = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(child)/cmdline"))) ?? Data()
                    return String(decoding: line, as: UTF8.self).contains("\0machine")
                }
                process = machines.max() ?? front
            }

            /// Mebibytes that lie in the host's memory for it.
            var resident: Int {
                let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
                let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
                return Int(line?.split(separator: " ").dropLast().last ?? "").map { $0 / 1024 } ?? -1
            }

            /// Waits until `condition` holds of it, at most `seconds`; what it is then.
            func wait(seconds: Double, until condition: (Int) -> Bool) -> Int {
                let deadline = Date(timeIntervalSinceNow: seconds)
                while !condition(resident), Date() < deadline { Thread.sleep(forTimeInterval: 0.25) }
                return resident
            }
        }

        @Test("what a guest has freed is the host's again, without being asked")
        func reporting() throws {
            let guest = try ApusConsole(["run", "debian-micro", "--net", "none", "--memory", "1536M"])
            try guest.expect(":/# ")
            let cost = Cost(front: guest.processID)
            let before = cost.resident
            #expect(before > 0)
            _ = try guest.shell(Self.fill(megabytes: 512))
            #expect(cost.resident > before + 400)
            _ = try guest.shell("rm /dev/shm/f")
            let after = cost.wait(seconds: 300) { $0 <= before + 96 }
            #expect(after <= before + 96, "\(before) MiB before, \(after) MiB afterwards")
            try guest.send("exit")
            #expect(try guest.end() == 0)
        }

        @Test("memory that one guest gives up is another's, which starts with a part of what it may have")
        func moved() throws {
            let home = try GuestHome()
            let image = ["--net", "none", "debian-micro"]
            try home.succeed(["run", "--detach", "--name", "giver", "--memory", "1G"] + image)
            _ = try home.shell("giver", Self.fill(megabytes: 512) + " && rm /dev/shm/f")
            try home.succeed(["set", "--memory", "256M", "giver"])
            let giver = Cost(of: try home.process("giver"))
            #expect(giver.wait(seconds: 300) { $0 <= 300 } <= 300)
            let isSmall = try holds(within: 300) { try free("giver", in: home) < 256 << 10 }
            #expect(isSmall)

            try home.succeed(["run", "--detach", "--name", "taker", "--memory", "512M,max=1G"] + image)
            // Inflated at boot: of 1 GiB, at least half is not for the guest.
            let isHalf = try holds(within: 300) { try free("taker", in: home) < 512 << 10 }
            #expect(isHalf)
            try home.succeed(["set", "--memory", "1G", "taker"])
            let isWhole = try holds(within: 300) { try free("taker", in: home) > 800 << 10 }
            #expect(isWhole)
            let read = try home.shell(
                "taker", Self.fill(megabytes: 700) + " && dd if=/dev/shm/f of=/dev/null bs=64k 2>&1")
            #expect(read.contains("11200+0 records out"))
            #expect(Cost(of: try home.process("taker")).resident > 700)
            #expect(giver.resident <= 300)
        }

        /// A line of shell that touches so much memory.
        private static func fill(megabytes: Int) -> String {
            "mount -o remount,size=\(megabytes + 64)m /dev/shm && "
                + "dd if=/dev/zero of=/dev/shm/f bs=64k count=\(megabytes * 16) 2>/dev/null"
        }

        /// KiB that are free in a guest.
        private func free(_ guest: String, in home: GuestHome) throws -> Int {
            Int(try home.shell(guest, "awk '/MemFree/ {printf $2}' /proc/meminfo")) ?? .max
        }
    }
}
