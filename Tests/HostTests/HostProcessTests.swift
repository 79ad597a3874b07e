// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage
import Testing

@Suite("Host process", .timeLimit(.minutes(10)))
struct HostProcessTests {
    @Test("code that is let go of costs no memory, and is there again when it is used")
    func releasedCode() async {
        // In a process of its own: what other tests run would come back at once.
        await #expect(processExitsWith: .success) {
            let before = try Self.residentCode()
            HostProcess.releaseCode()
            let after = try Self.residentCode()
            exit(before > 0 && after < before / 2 ? 0 : 1)
        }
    }

    /// KiB of this process's executable mappings that lie in memory.
    private static func residentCode() throws -> Int {
        let lines = try TextFile.read("/proc/self/smaps", limit: 16 << 20).split(separator: "\n")
        let mappings = lines.split { $0.hasPrefix("VmFlags:") }
        return mappings.filter { $0.first?.contains(" r-xp ") == true }.reduce(0) { sum, mapping in
            let resident = mapping.first { $0.hasPrefix("Rss:") }?.split(separator: " ")
            return sum + (resident.flatMap { Int($0[1]) } ?? 0)
        }
    }
}
