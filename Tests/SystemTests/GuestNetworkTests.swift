// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

extension DebianTests {
    @Suite("Network", .enabled(if: Surroundings.has(HostServer.python), "python3 is not installed"))
    struct GuestNetworkTests {
        private let folder: Scratch

        init() throws { folder = try Scratch() }

        private func run(_ network: String, _ script: String) throws -> ApusProgram.Outcome {
            try ApusProgram.run(["run", "debian-micro", "--net", network, "--", "sh", "-c", script], seconds: 240)
        }

        @Test("with host=on 64 MiB from a server on the host arrive intact")
        func download() throws {
            let file = folder.url("f").path
            try Surroundings.run("/bin/sh", ["-c", "head -c 64M /dev/urandom >\(file)"])
            let server = try HostServer(folder: folder.folder)
            let outcome = try run("user,host=on", "wget -q -O - http://10.0.2.2:\(server.port)/f | sha256sum")
            #expect(outcome.text.hasPrefix(try Surroundings.sha256(file)))
            #expect(outcome.status == 0)
        }

        @Test("without it the gateway refuses, at once")
        func refusal() throws {
            let server = try HostServer(folder: folder.folder)
            let outcome = try run("user", "time wget -q -T 20 -O - http://10.0.2.2:\(server.port)/")
            #expect(outcome.errors.contains("Connection refused"))
            #expect(outcome.errors.contains("real\t0m 0."))
        }

        @Test("a forwarded port of the host's loopback reaches a server in the guest")
        func forward() throws {
            // Below the range from which the kernel picks ports itself.
            let port = Int.random(in: 20000..<30000)
            let guest = try ApusConsole([
                "run", "debian-micro", "--net", "user,forward=tcp:\(port):80", "--", "sh", "-c",
                "mkdir /w && head -c 3m /dev/urandom >/w/f && httpd -h /w && sha256sum </w/f && sleep 1000",
            ])
            let sum = try guest.expect("  -").suffix(64)
            let fetch =
                "import hashlib, urllib.request as r; "
                + "print(hashlib.sha256(r.urlopen('http://127.0.0.1:\(port)/f', timeout=60).read()).hexdigest())"
            #expect(try Surroundings.run(HostServer.python, ["-c", fetch]).output == sum + "\n")
        }
    }
}
