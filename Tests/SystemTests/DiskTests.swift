// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Disks", .enabled(if: ExtendedDisk.areToolsThere, "e2fsprogs is not installed"))
    struct DiskTests {
        @Test("a file system is whole, in the guest and on the host, after a copy, sync and reboot")
        func reboot() throws {
            let disk = try ExtendedDisk(megabytes: 128)
            let guest = try ApusConsole(["run", "debian-micro", "--net", "none", "--disk", disk.path])
            try guest.expect(":/# ")
            let written = try guest.shell(
                "mount /dev/vda /mnt && head -c 20m /dev/urandom >/mnt/a && cp /mnt/a /mnt/b && sync; sha256sum </mnt/a"
            )
            try guest.send("reboot -f")
            try guest.expect("Enter 'help'")
            try guest.expect(":/# ")
            let read = try guest.shell("mount /dev/vda /mnt && sha256sum </mnt/b && rm /mnt/a")
            try guest.send("exit")

            #expect(try guest.end() == 0)
            let sum = try disk.sha256("b")
            #expect(written.contains(sum))
            #expect(read.contains(sum))
            #expect(try disk.damage() == "")
        }

        @Test("what a command wrote to a disk is there when it has ended, without a sync of its own")
        func command() throws {
            let disk = try ExtendedDisk(megabytes: 64)
            let outcome = try ApusProgram.run(
                [
                    "run", "debian-micro", "--net", "none", "--disk", disk.path, "--", "sh", "-c",
                    "mount /dev/vda /mnt && head -c 8m /dev/urandom >/mnt/a && sha256sum </mnt/a; exit 9",
                ], seconds: 240)
            #expect(outcome.status == 9)
            #expect(outcome.text.hasPrefix(try disk.sha256("a")))
            #expect(try disk.damage() == "")
        }
    }
}
