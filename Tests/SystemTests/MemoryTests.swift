// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite(
        "Memory",
        .enabled(
            if: Surroundings.isLong, "APUS_LONG_TESTS is not set: it keeps both of the host's CPUs busy for minutes"))
    struct MemoryTests {
        /// Memory of a machine's process and its guest, as the host counts it.
        private struct Cost {
            let process: Int32

            /// The machine's own process: what `apus` started last, or `apus` itself where it started none.
            init(of front: Int32) {
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

        @Test("what a guest has freed is the host's again, without being asked", .timeLimit(.minutes(20)))
        func reporting() throws {
            let guest = try ApusConsole(["run", "debian-micro", "--net", "none", "--memory", "1536M"])
            try guest.expect(":/# ")
            let cost = Cost(of: guest.processID)
            let before = cost.resident
            #expect(before > 0)
            _ = try guest.shell("dd if=/dev/zero of=/dev/shm/f bs=64k count=8192 2>/dev/null")
            #expect(cost.resident > before + 400)
            _ = try guest.shell("rm /dev/shm/f")
            let after = cost.wait(seconds: 300) { $0 <= before + 96 }
            #expect(after <= before + 96, "\(before) MiB before, \(after) MiB afterwards")
            try guest.send("exit")
            #expect(try guest.end() == 0)
        }

        @Test("a guest starts with what it has been given of a larger memory", .timeLimit(.minutes(20)))
        func inflated() throws {
            let guest = try ApusConsole(["run", "debian-micro", "--net", "none", "--memory", "256M,max=1G"])
            try guest.expect(":/# ")
            // Free memory in KiB, once the balloon has what it is to have.
            let seen = try guest.shell(
                "for i in $(seq 240); do free=$(awk '/MemFree/ {print $2}' /proc/meminfo); "
                    + "[ $free -lt 262144 ] && break; sleep 0.5; done; echo free=$free")
            let free = seen.components(separatedBy: "free=").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            #expect((32 << 10..<256 << 10).contains(free), "\(free) KiB are free")
            #expect(Cost(of: guest.processID).resident < 512)
            try guest.send("exit")
            #expect(try guest.end() == 0)
        }
    }
}
