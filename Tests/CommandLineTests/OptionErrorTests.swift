// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProgramSupport
import Testing

/// What the user gets for an option that cannot be: one sentence with the value and the remedy, and status 125.
@Suite("Bad options")
struct OptionErrorTests {
    private static let run = ["run", "--firmware", "none", "--kernel", "k"]

    @Test(
        "an unusable value is refused with one sentence",
        arguments: [
            (run + ["--platform", "sparc"], "platform 'sparc' is not known; valid are riscv64, x86_64"),
            (run + ["--engine", "warp"], "engine 'warp' is not known; valid are auto, interpreter"),
            (run + ["--cpu", "max"], "a riscv64 machine has one CPU model; leave 'max' out"),
            (run + ["--platform", "x86_64", "--cpus", "0"], "an x86_64 machine has 1 to 16 CPUs, not 0"),
            (run + ["--cpus", "0"], "a riscv64 machine has 1 to 16 CPUs, not 0"),
            (run + ["--cpus", "17"], "a riscv64 machine has 1 to 16 CPUs, not 17"),
            (run + ["--cpus", "two"], "number of CPUs 'two' is not a whole number from 1 to 16"),
            (run + ["--memory", "1"], "memory of 1 does not fit a riscv64 machine; it takes 16M to 512G"),
            (run + ["--memory", "1T"], "memory of 1T does not fit a riscv64 machine; it takes 16M to 512G"),
            (
                run + ["--memory", "lots"],
                "size 'lots' cannot be read; write a whole number with K, M, G or T, such as 512M"
            ),
            (run + ["--virtio", "isa"], "virtio transport 'isa' is not known; valid are pci, mmio"),
            (run + ["--disk", ""], "disk '' names no file; write FILE[,ro][,serial=TEXT]"),
            (
                run + ["--disk", "a,fast"],
                "disk option 'fast' is not known; valid are ro, serial=TEXT, bps=BYTES, burst=BYTES, iops=N and iops-burst=N "
                    + "(a comma in a file's name is written twice)"
            ),
            (run + ["--disk", "a,bps=0"], "limit bps=0 would hold everything for ever; leave it out for no limit"),
            (run + ["--disk", "a,iops-burst=9"], "limit iops-burst=9 needs a rate beside it: iops=N"),
            (
                run + ["--net", "user,mac=01:00:5e:00:00:01"],
                "MAC address '01:00:5e:00:00:01' cannot be used; write six pairs of digits for one card, such as "
                    + "52:54:00:1a:2b:3c"
            ),
            (run + ["--net", "bridge"], "network 'bridge' is not known; valid are none, user, tap"),
            (run + ["--net", "user,forward=tcp:99999:22"], "port '99999' is not a number from 1 to 65535"),
            (
                run + ["--net", "user,forward=22"],
                "forward '22' cannot be read; write tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT"
            ),
            (
                run + ["--net", "user,forward=tcp:8000:1,forward=tcp:8000:2"],
                "host port tcp:127.0.0.1:8000 is forwarded twice; each forward needs a port of its own"
            ),
            (
                run + ["--net", "tap"],
                "network tap needs ifname=NAME, the tap interface's name of 1 to 15 characters"
            ),
            (
                run + ["--console", "tty"],
                "console 'tty' is not known; valid are stdio, file:PATH, unix:PATH, pty"
            ),
            (
                run + ["--timeout", "soon"],
                "time 'soon' cannot be read; write seconds, or a number with s, m or h, such as 5m"
            ),
            (run + ["--gdb", "1234"], "gdb server '1234' cannot be read; write tcp:PORT[,wait]"),
            (run + ["--on-panic", "dance"], "panic action 'dance' is not known; valid are exit, reboot, pause"),
            (
                run + ["--log-level", "loud"],
                "log level 'loud' is not known; valid are trace, debug, info, notice, warning, error, critical"
            ),
            (run + ["--env", "novalue"], "variable 'novalue' cannot be read; write NAME=VALUE"),
            (run + ["--", "ls"], "a command needs an image with Apus's agent; write apus run IMAGE -- COMMAND"),
            (
                run + ["--initrd", "i"],
                "--firmware none starts a bare program, which takes no --initrd and no --append"
            ),
            (["run", "--initrd", "i"], "--initrd and --append are for a kernel; give one with --kernel FILE"),
            (
                ["run", "--firmware", "none"],
                "--firmware none needs a program to start; give it with --kernel FILE"
            ),
            (["run"], "nothing to run: give an image (known are debian-micro), --kernel FILE or --firmware FILE"),
            (
                ["run", "debian-micro", "--kernel", "k"],
                "image 'debian-micro' brings its own kernel; leave out --kernel, --initrd and --firmware, or the image"
            ),
            (
                ["run", "debian-micro", "--console", "stdio", "--", "ls"],
                "with a command, stdin and stdout are the command's; give the console another place or leave it out"
            ),
            (["image", "build"], "nothing to build: name an image (known are debian-micro) or give --from FOLDER"),
            (["image", "build", "--from", "f"], "--from 'f' needs --output FILE, the file to make"),
            (
                ["image", "build", "debian-micro", "--output", "o"],
                "--output, --format and --size go with --from FOLDER"
            ),
            (
                ["image", "build", "--from", "f", "--output", "o", "--format", "tar"],
                "format 'tar' is not known; valid are initramfs, ext4"
            ),
        ])
    func refusal(_ arguments: [String], _ sentence: String) throws {
        let outcome = try ApusProgram.run(arguments)
        #expect(outcome.errors == "apus: \(sentence)\n")
        #expect(outcome.status == 125)
        #expect(outcome.output.isEmpty)
    }

    @Test(
        "an unknown image lists the known ones",
        arguments: [["run", "debian-macro"], ["image", "build", "debian-macro"]])
    func unknownImage(_ arguments: [String]) throws {
        let scratch = try Scratch()
        let outcome = try ApusProgram.run(arguments, environment: ["APUS_HOME": scratch.folder.path])
        #expect(outcome.errors.contains("debian-macro") && outcome.errors.contains("debian-micro"))
        #expect(outcome.status == 125)
    }

    @Test(
        "usage errors are 125 too, for every lower status may be a guest's",
        arguments: [["run", "--nonsense"], ["nonsense"], ["run", "a", "b"], ["run", "--disk"], ["image", "remove"]])
    func usage(_ arguments: [String]) throws {
        let outcome = try ApusProgram.run(arguments)
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("apus"))
        #expect(outcome.output.isEmpty)
    }

    @Test(
        "help and version go to stdout with status 0", arguments: [["--help"], ["run", "--help"], ["--version"], []])
    func help(_ arguments: [String]) throws {
        let outcome = try ApusProgram.run(arguments)
        #expect(outcome.status == 0)
        #expect(!outcome.output.isEmpty && outcome.errors.isEmpty)
    }
}
