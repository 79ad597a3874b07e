// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("Option texts")
struct OptionTextTests {
    @Test(
        "a size is a whole number with a binary suffix",
        arguments: [("0", 0), ("4096", 4096), ("1K", 1 << 10), ("512M", 512 << 20), ("2g", 2 << 30), ("1T", 1 << 40)])
    func size(_ text: String, _ bytes: UInt64) throws {
        #expect(try ByteSize(parsing: text).bytes == bytes)
    }

    @Test(
        "a size that is none is refused",
        arguments: ["", "K", "-1", "1.5G", "1GB", "0x10", "99999999999999999999", "18446744073709551615K", "1 G", "١M"])
    func noSize(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try ByteSize(parsing: text) }
    }

    @Test(
        "a size prints in its shortest exact form",
        arguments: [(0, "0"), (1536, "1536"), (1 << 30, "1G"), (3 << 19, "1536K")])
    func sizeText(_ bytes: UInt64, _ text: String) {
        #expect(ByteSize(bytes).description == text)
    }

    @Test(
        "a disk is a file with options, a doubled comma standing for one",
        arguments: [
            ("a.img", StorageDevice(path: "a.img")),
            ("a.img,ro", StorageDevice(path: "a.img", isReadOnly: true)),
            ("a,,b.img,serial=x=1,ro", StorageDevice(path: "a,b.img", isReadOnly: true, serial: "x=1")),
        ])
    func disk(_ text: String, _ device: StorageDevice) throws {
        #expect(try StorageDevice(parsing: text) == device)
    }

    @Test(
        "a disk option that is unknown or does not fit is refused",
        arguments: ["", ",ro", "a,rw", "a,ro=1", "a,serial", "a,serial=123456789012345678901", "a,serial=é"])
    func noDisk(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try StorageDevice(parsing: text) }
    }

    @Test("a network names its kind and options")
    func network() throws {
        var user = UserNetworkAttachment()
        user.forwards = [
            PortForward(.tcp, hostPort: 2222, guestPort: 22),
            PortForward(.udp, hostAddress: "0.0.0.0", hostPort: 53, guestPort: 5353),
        ]
        user.reachesHost = true
        let text = "user,forward=tcp:2222:22,forward=udp:0.0.0.0:53:5353,host=on"
        #expect(try NetworkDevice.parse(text) == NetworkDevice(attachment: .user(user)))
        #expect(try NetworkDevice.parse("none") == nil)
        #expect(try NetworkDevice.parse("tap,ifname=tap0") == NetworkDevice(attachment: .tap(interface: "tap0")))
    }

    @Test("limits of a disk and of a network are options of theirs")
    func limits() throws {
        let disk = try StorageDevice(parsing: "d,bps=10M,ro,burst=20M,iops=500,iops-burst=50")
        #expect(
            disk.limits
                == IOLimits(
                    bytesPerSecond: 10 << 20, bytesBurst: 20 << 20, operationsPerSecond: 500, operationsBurst: 50))
        let network = try NetworkDevice.parse("user,bps=1M,pps=100,host=on,pps-burst=7")
        #expect(
            network?.limits == IOLimits(bytesPerSecond: 1 << 20, operationsPerSecond: 100, operationsBurst: 7))
    }

    @Test(
        "limits read back as they were written",
        arguments: ["none", "bps=10M", "bps=1000,burst=1K,iops=5,iops-burst=1"])
    func limitsText(_ text: String) throws {
        #expect(try IOLimits(parsing: text, for: .disk).text(for: .disk) == text)
    }

    @Test(
        "limits that are unknown, zero or without their rate are refused",
        arguments: [
            "", "bps", "bps=", "bps=0", "bps=fast", "burst=1M", "iops=-1", "iops=1.5", "iops=1K", "pps=5",
            "iops-burst=5",
            "iops=5,iops-burst=0", "none,bps=1",
        ])
    func noLimits(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try IOLimits(parsing: text, for: .disk) }
    }

    @Test("limits of a device name it by its number")
    func deviceLimits() throws {
        let limits = IOLimits(operationsPerSecond: 9)
        #expect(try DeviceLimits(parsing: "12,iops=9", for: .disk) == DeviceLimits(device: 12, limits: limits))
        #expect(try DeviceLimits(parsing: "0,none", for: .network) == DeviceLimits(device: 0, limits: IOLimits()))
    }

    @Test("limits of no device are refused", arguments: ["", "0", ",bps=1", "x,bps=1", "-1,bps=1", "0,", "0,fast=1"])
    func noDeviceLimits(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try DeviceLimits(parsing: text, for: .disk) }
    }

    @Test("a card has the address that it is given")
    func address() throws {
        let network = try NetworkDevice.parse("user,mac=52:54:00:Ab:0c:ff")
        #expect(network?.address?.bytes == [0x52, 0x54, 0, 0xAB, 0x0C, 0xFF])
        #expect(network?.address?.description == "52:54:00:ab:0c:ff")
    }

    @Test(
        "an address that is none, or a group's, is refused",
        arguments: [
            "", "52:54:00:12:34", "52:54:00:12:34:56:78", "52-54-00-12-34-56", "1:2:3:4:5:6", "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff", "5g:54:00:12:34:56", "+1:54:00:12:34:56",
        ])
    func noAddress(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try MACAddress(parsing: text) }
    }

    @Test("a card without an address is given a local one that no other has, and keeps it")
    func assigned() throws {
        var configuration = VirtualMachineConfiguration(bootLoader: .bare(kernel: "k"))
        let card = NetworkDevice(attachment: .user(UserNetworkAttachment()))
        configuration.networkDevices = [card, card]
        configuration.assignAddresses()
        let first = configuration.networkDevices.map(\.address)
        configuration.assignAddresses()
        #expect(configuration.networkDevices.map(\.address) == first)
        #expect(first.compactMap { $0.map { Array($0.bytes[..<3]) } } == [[0x52, 0x54, 0], [0x52, 0x54, 0]])
        #expect(first[0] != first[1])
    }

    @Test(
        "a network that is unknown or incomplete is refused",
        arguments: [
            "", "bridge", "none,host=on", "user,host=maybe", "user,forward=tcp:22", "user,forward=sctp:1:1",
            "user,forward=tcp:0:22", "user,forward=tcp:65536:22", "user,forward=tcp:+1:22",
            "user,forward=tcp:localhost:1:22", "user,forward=tcp:1.2.3:1:22", "user,forward=tcp:1.2.3.256:1:22", "tap",
            "tap,ifname=", "tap,ifname=0123456789abcdef", "tap,ifname=../x", "user,",
        ])
    func noNetwork(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try NetworkDevice.parse(text) }
    }

    @Test(
        "a console ends at the standard streams, a file, a socket or a pseudo-terminal",
        arguments: [
            ("stdio", StreamEnd.standardStreams), ("file:/a:b", .file(path: "/a:b")),
            ("unix:s", .unixSocket(path: "s")), ("pty", .pseudoTerminal),
        ])
    func console(_ text: String, _ end: StreamEnd) throws {
        #expect(try StreamEnd(parsing: text) == end)
    }

    @Test(
        "a console that is unknown or lacks its path is refused",
        arguments: [
            "", "tty", "file", "file:", "unix:", "pty:1", "stdio:", "unix:" + String(repeating: "a", count: 108),
        ])
    func noConsole(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try StreamEnd(parsing: text) }
    }

    @Test("a debug server is a TCP port that may wait")
    func debugServer() throws {
        #expect(try DebugServer(parsing: "tcp:1234") == DebugServer(port: 1234))
        #expect(try DebugServer(parsing: "tcp:1,wait") == DebugServer(port: 1, waits: true))
    }

    @Test(
        "a debug server that cannot be read is refused", arguments: ["", "1234", "tcp:", "tcp:0", "udp:1", "tcp:1,go"])
    func noDebugServer(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try DebugServer(parsing: text) }
    }

    @Test("a time is seconds or has a unit", arguments: [("5", 5), ("5s", 5), ("2m", 120), ("1h", 3600)])
    func time(_ text: String, _ seconds: Int) throws {
        #expect(try Duration.parse(text) == .seconds(seconds))
    }

    @Test("a time that cannot be read is refused", arguments: ["", "0", "-1", "s", "1d", "1.5", "1m30s", "9999999999"])
    func noTime(_ text: String) {
        #expect(throws: VirtualMachineError.self) { try Duration.parse(text) }
    }

    @Test("an unknown word's error lists the valid ones")
    func unknown() {
        let error = #expect(throws: VirtualMachineError.self) { try Platform(parsing: "sparc") }
        #expect(error?.description == "platform 'sparc' is not known; valid are riscv64, x86_64")
    }
}
