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
        #expect(error?.description == "platform 'sparc' is not known; valid are riscv64")
    }
}
