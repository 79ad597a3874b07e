// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import Host

@Suite struct UserAccountTests {
    @Test(
        "a user is a name, a number, or a number and a group",
        arguments: [
            ("root", 0, 0), ("nobody", 65534, 65534), ("65534", 65534, 65534), ("12345:678", 12345, 678),
            ("nobody:7", 65534, 7),
        ] as [(String, UInt32, UInt32)])
    func read(text: String, user: UInt32, group: UInt32) throws {
        let account = try UserAccount(text)
        #expect(account.user == user)
        #expect(account.group == group)
    }

    @Test(
        "what names no user is an error",
        arguments: ["", ":", "no-such-user", "4294967295:1", "1:4294967295", "12345678", "root:wheel", "-1:1", "1:"])
    func wrong(text: String) {
        let error = #expect(throws: HostError.self) { try UserAccount(text) }
        #expect(error?.description.hasPrefix("'\(text)' names no user of this host; ") == true)
    }
}

@Suite struct UserNamespaceTests {
    @Test(
        "a number is in a namespace by its map",
        arguments: [
            ("         0          0 4294967295\n", 65534, true), ("0 1000 1\n", 65534, false),
            ("0 1000 1\n1 100000 65536\n", 65534, true), ("1 100000 65533\n", 65534, false), ("", 0, false),
            ("x y z\n", 0, false),
        ] as [(String, UInt32, Bool)])
    func map(text: String, number: UInt32, isThere: Bool) {
        #expect(UserNamespace.contains(number, in: text) == isThere)
    }

    @Test("the effective capabilities are read from a status")
    func capabilities() {
        #expect(UserNamespace.capabilities(in: "Name:\tx\nCapEff:\t00000000000000c0\nCapBnd:\t0\n") == 0xC0)
        #expect(UserNamespace.capabilities(in: "Name:\tx\n") == nil)
    }
}

@Suite struct LandlockTests {
    @Test(
        "each version forbids all that it knows",
        arguments: [
            (1, 0x1FFF, 0, 0), (2, 0x3FFF, 0, 0), (3, 0x7FFF, 0, 0), (4, 0x7FFF, 3, 0), (5, 0xFFFF, 3, 0),
            (6, 0xFFFF, 3, 3), (99, 0xFFFF, 3, 3),
        ] as [(CInt, UInt64, UInt64, UInt64)])
    func rights(version: CInt, files: UInt64, network: UInt64, scopes: UInt64) {
        #expect(Landlock.files(version) == files)
        #expect(Landlock.network(version) == network)
        #expect(Landlock.scopes(version) == scopes)
    }
}

@Suite struct SandboxStateTests {
    @Test("the start line says what holds and what is missing")
    func words() {
        var state = SandboxState(mode: .on, account: .nobody)
        state.filtersCalls = true
        state.landlock = 7
        #expect(state.description == "sandbox on (seccomp, landlock 7, user nobody)")
        state.landlock = nil
        state.lacking = ["this kernel has no Landlock"]
        #expect(state.description == "sandbox partial (seccomp, no landlock, user nobody)")
        #expect(SandboxState(mode: .off, account: .current).description == "sandbox OFF")
    }
}

@Suite struct SandboxProbeTests {
    @Test("a line names a thread, a call and its arguments")
    func line() throws {
        let call = try SandboxProbe.parse(#""disk 0" openat -100 "/etc/a b" 0x41"#)
        #expect(call.thread == "disk 0")
        #expect(call.name == "openat")
        #expect(call.arguments == [.number(-100), .text("/etc/a b"), .number(0x41)])
    }

    @Test("what is no line is an error", arguments: ["", "io", "io read x", "io read 1 2 3 4 5 6 7", "\"io"])
    func wrong(line: String) {
        #expect(throws: HostError.self) { try SandboxProbe.parse(line[...]) }
    }
}

@Suite struct NetlinkMessageTests {
    /// RTM_NEWADDR of an interface with these attributes.
    private static func message(_ family: UInt8, prefix: UInt8, _ attributes: [(UInt16, [UInt8])]) -> [UInt8] {
        let list: [UInt8] = attributes.flatMap { kind, bytes -> [UInt8] in
            [UInt8(4 + bytes.count), 0, UInt8(kind), 0] + bytes
        }
        let header = NetlinkMessage.header(length: UInt32(24 + list.count), type: 20, flags: 2)
        let fixed: [UInt8] = [family, prefix, 0, 0, 1, 0, 0, 0]
        return header + fixed + list
    }

    @Test("an interface's own address counts, not its peer's, and the broadcast address of an IPv4 network")
    func addresses() {
        let bytes =
            Self.message(2, prefix: 20, [(1, [10, 0, 17, 9]), (2, [10, 0, 17, 1])])
            + Self.message(10, prefix: 64, [(1, [UInt8](repeating: 7, count: 16))])
            + Self.message(2, prefix: 31, [(1, [10, 9, 9, 8])])
        let found = NetlinkMessage.messages(in: bytes[...]).map(\.addresses)
        #expect(
            found == [
                [[10, 0, 17, 1], [10, 0, 31, 255]], [[UInt8](repeating: 7, count: 16)], [[10, 9, 9, 8]],
            ])
    }

    @Test("what is cut short anywhere is no address and no crash", arguments: 0..<32)
    func short(count: Int) {
        let whole = Self.message(2, prefix: 24, [(1, [10, 0, 0, 1])])
        #expect(NetlinkMessage.messages(in: whole[..<count]).allSatisfy { $0.addresses.isEmpty })
    }

    @Test("this host has its loopback")
    func host() throws {
        let addresses = try HostAddresses()
        #expect(try addresses.all().contains([127, 0, 0, 1]))
        #expect(try addresses.all() == addresses.all())
    }
}
