// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Foundation
import Testing

@Suite("Machine commands")
struct MachineCommandTests {
    @Test(
        "a word, or a prefix that fits one word only, is a command",
        arguments: [
            ("status", MachineCommand.status), ("vcpus", .vcpus), ("v", .vcpus), ("registers", .registers(vcpu: nil)),
            ("registers 3", .registers(vcpu: 3)), ("reg 0", .registers(vcpu: 0)), ("stats", .statistics),
            ("pause", .pause), ("continue", .resume), ("c", .resume), ("reset", .reset), ("poweroff", .powerOff),
            ("  quit  ", .quit), ("help", .help), ("h", .help),
        ])
    func parsing(_ line: String, _ command: MachineCommand) throws {
        #expect(try MachineCommand(parsing: line) == command)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", " ", "s", "re", "p", "statusx", "STATUS", "status 1", "registers x", "registers -1", "registers 1 2",
        ])
    func refusals(_ line: String) {
        #expect(throws: VirtualMachineError.self) { try MachineCommand(parsing: line) }
    }

    @Test("an unknown word's error lists the commands")
    func unknown() {
        let error = #expect(throws: VirtualMachineError.self) { try MachineCommand(parsing: "halt") }
        #expect(error?.description.contains("status, vcpus, registers") == true)
    }

    @Test(
        "a command survives a socket",
        arguments: [MachineCommand.status, .registers(vcpu: 2), .registers(vcpu: nil), .quit, .resume])
    func coding(_ command: MachineCommand) throws {
        let data = try JSONEncoder().encode(command)
        #expect(try JSONDecoder().decode(MachineCommand.self, from: data) == command)
    }
}
