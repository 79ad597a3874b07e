// SPDX-License-Identifier: Apache-2.0

import ApusKit

/// Boots a Debian guest and shows its console on this terminal or pipe. usage: BootLinux [KERNEL [INITRD]]
@main
struct BootLinux {
    static func main() async throws {
        StandardStreams.secure()
        let files = Array(CommandLine.arguments.dropFirst())
        var configuration = VirtualMachineConfiguration(bootLoader: try await bootLoader(files))
        configuration.cpuCount = 2
        configuration.memorySize = 512 << 20
        configuration.serialPort = SerialPort(attachment: .standardStreams)

        // A process of its own opens and checks everything; no guest instruction runs yet.
        let machine = try await VirtualMachine(configuration)
        let events = machine.events
        try await machine.start()
        for await event in events {
            switch event {
            case .state(let state): say("the machine is \(state.rawValue)")
            case .panicked(let words): say("the guest's system crashed: \(words)")
            case .ended(let end): say("the end: exit status \(end.exitStatus)")
            default: break
            }
        }
    }

    /// The kernel that was named, else Debian's, which is built from its packages first if it is not there.
    private static func bootLoader(_ files: [String]) async throws -> BootLoader {
        if let kernel = files.first {
            return .linux(
                LinuxBootLoader(
                    kernel: kernel, initialRamdisk: files.dropFirst().first, commandLine: "console=ttyS0"))
        }
        let image = try await ImageLibrary().ensure("debian-micro", platform: .riscv64) { progress in
            if case .step(let number, let count, let title) = progress { say("[\(number)/\(count)] \(title)") }
        }
        return try image.bootLoader()
    }

    private static func say(_ sentence: String) { StandardStreams.writeError("BootLinux: \(sentence)\r\n") }
}
