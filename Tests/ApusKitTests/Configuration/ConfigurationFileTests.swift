// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

/// Configurations as files: what is written is read back, and what a person got wrong is said.
@Suite("Configuration file")
struct ConfigurationFileTests {
    private static func filled(_ change: (inout VirtualMachineConfiguration) -> Void) -> VirtualMachineConfiguration {
        var configuration = VirtualMachineConfiguration(
            bootLoader: .linux(LinuxBootLoader(kernel: "/k", initialRamdisk: "/i", commandLine: "console=ttyS0 \"q\"")))
        change(&configuration)
        return configuration
    }

    private static func forward() -> NetworkDevice {
        var network = UserNetworkAttachment()
        network.forwards = [
            PortForward(.tcp, hostPort: 8080, guestPort: 80),
            PortForward(.udp, hostAddress: "0.0.0.0", hostPort: 53, guestPort: 5353),
        ]
        network.reachesHost = true
        return NetworkDevice(attachment: .user(network))
    }

    @Test(
        "a configuration that was written is read back as it was",
        arguments: [
            filled { _ in },
            filled { $0.bootLoader = .bare(kernel: "/program.elf") },
            filled { $0.bootLoader = .firmware(FirmwareBootLoader(firmware: "/f")) },
            filled {
                $0.bootLoader = .firmware(
                    FirmwareBootLoader(firmware: "/f", kernel: LinuxBootLoader(kernel: "/k", commandLine: "quiet")))
            },
            filled {
                $0.engine = .interpreter
                $0.cpuCount = 4
                $0.memorySize = 96 << 20 | 4096
                $0.transport = .mmio
                $0.entropyDevice = nil
                $0.hasAgentPort = false
                $0.onPanic = .pause
            },
            filled {
                $0.memorySize = 512 << 20
                $0.maximumMemorySize = 1 << 30
                $0.memoryBalloon = MemoryBalloonDevice(statisticsInterval: nil)
            },
            filled { $0.memoryBalloon = nil },
            filled { $0.memoryBalloon = MemoryBalloonDevice(statisticsInterval: .seconds(60)) },
            filled {
                $0.storageDevices = [
                    StorageDevice(path: "/a,b"), StorageDevice(path: "/c", isReadOnly: true, serial: "S 1"),
                ]
                $0.networkDevices = [forward(), NetworkDevice(attachment: .tap(interface: "tap0"))]
                $0.storageDevices[1].limits = IOLimits(bytesPerSecond: 10 << 20, operationsPerSecond: 3)
                $0.networkDevices[1].limits = IOLimits(operationsPerSecond: 5, operationsBurst: 6)
                $0.networkDevices[1].address = MACAddress([2, 0, 0, 0, 0, 9])
            },
            filled {
                $0.serialPort = SerialPort(attachment: .memory(isShown: true))
                $0.consoleDevices = [
                    ConsoleDevice(attachment: .standardStreams), ConsoleDevice(attachment: .file(path: "/o:x")),
                    ConsoleDevice(attachment: .unixSocket(path: "/s")), ConsoleDevice(attachment: .pseudoTerminal),
                    ConsoleDevice(attachment: .memory(isShown: false)),
                ]
            },
            filled {
                $0.timeout = .seconds(90)
                $0.debugServer = DebugServer(port: 1234, waits: true)
                $0.trace = .file(path: "/trace")
            },
            filled {
                $0.debugServer = DebugServer(port: 0)
                $0.trace = .standardError
            },
        ])
    func roundTrip(_ configuration: VirtualMachineConfiguration) throws {
        #expect(try VirtualMachineConfiguration(json: configuration.json) == configuration)
    }

    @Test("what a file leaves out has its default")
    func defaults() throws {
        let read = try VirtualMachineConfiguration(json: #"{"boot": {"kernel": "/k"}}"#)
        #expect(read == VirtualMachineConfiguration(bootLoader: .linux(LinuxBootLoader(kernel: "/k"))))
    }

    @Test("sizes are text as the command line writes it, or a number of bytes", arguments: ["\"512M\"", "536870912"])
    func sizes(_ size: String) throws {
        let read = try VirtualMachineConfiguration(json: "{\"boot\": {\"bare\": \"/p\"}, \"memory\": \(size)}")
        #expect(read.memorySize == 512 << 20)
        #expect(read.json.contains("\"memory\" : \"512M\""))
    }

    @Test(
        "what is wrong in a file is said in one sentence with the key",
        arguments: [
            (#"{"boot": {"kernel": "/k"}, "memroy": "1G"}"#, "key of the configuration 'memroy' is not known"),
            (#"{"boot": {"kernel": "/k", "ram": 1}}"#, "key of 'boot' 'ram' is not known"),
            (#"{"boot": {"kernel": "/k"}, "disks": [{"file": "/d", "ro": true}]}"#, "key of a disk 'ro' is not known"),
            (#"{"cpus": 2}"#, "the configuration lacks 'boot'"),
            (#"{"boot": {"initrd": "/i"}}"#, "'boot' takes kernel"),
            (#"{"boot": {"bare": "/p", "append": "x"}}"#, "'boot' takes kernel"),
            (#"{"boot": {"kernel": "/k"}, "cpus": "two"}"#, "value of the wrong kind at 'cpus'"),
            (#"{"boot": {"kernel": "/k"}, "memory": "much"}"#, "size 'much' cannot be read"),
            (#"{"boot": {"kernel": "/k"}, "disks": [{}]}"#, "the configuration lacks 'disks.0.file'"),
            (#"{"boot": {"kernel": "/k"}, "networks": [{"kind": "tap", "host": true}]}"#, "one of kind tap takes"),
            (#"{"boot": {"kernel": "/k"}, "engine": "steam"}"#, "engine 'steam' is not known"),
            (#"{"boot": "#, "the configuration is no JSON"),
        ])
    func mistakes(_ text: String, _ sentence: String) {
        let error = #expect(throws: VirtualMachineError.self) { try VirtualMachineConfiguration(json: text) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
