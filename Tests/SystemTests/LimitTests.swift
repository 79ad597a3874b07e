// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Limits", .enabled(if: Surroundings.has(HostServer.python), "python3 is not installed"))
    struct LimitTests {
        /// For the guest's shell: `took COMMAND` says how many hundredths of a second of its time a command took.
        private static let took =
            "took() { s=$(cut -d' ' -f1 /proc/uptime); eval \"$1\" >/dev/null 2>&1; "
            + "e=$(cut -d' ' -f1 /proc/uptime); echo took=$((${e%.*}${e#*.} - ${s%.*}${s#*.}))=; }"

        @Test("a disk and a network keep to their limits, and all that was asked for arrives")
        func limits() throws {
            let scratch = try Scratch()
            let disk = try scratch.file("disk.img", Data(count: 16 << 20))
            _ = try scratch.file("file", Data((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0) }))
            let server = try HostServer(folder: scratch.folder)
            let guest = try ApusConsole([
                "run", "debian-micro", "--disk", disk + ",bps=4M,burst=64K",
                "--net", "user,host=on,bps=512K,burst=16K",
            ])
            try guest.expect(":/# ")
            _ = try guest.shell(Self.took)
            let copied = try guest.shell("took 'dd if=/dev/zero of=/dev/vda bs=64k count=128 oflag=direct'")
            let fetched = try guest.shell("took 'wget -O /f http://10.0.2.2:\(server.port)/file'; wc -c </f")
            try guest.send("exit")
            #expect(try guest.end() == 0)
            // 8 MiB at 4 MiB a second, 1 MiB at 512 KiB a second, less the bursts and what a tick hides.
            #expect(try Self.hundredths(copied) >= 180)
            #expect(try Self.hundredths(fetched) >= 180)
            #expect(fetched.contains("1048576"))
        }

        private static func hundredths(_ text: String) throws -> Int {
            let parts = text.components(separatedBy: "took=")
            return try #require(parts.count > 1 ? Int(parts[1].prefix { $0 != "=" }) : nil)
        }
    }
}
