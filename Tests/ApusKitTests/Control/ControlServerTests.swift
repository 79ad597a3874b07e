// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@testable import ApusKit

/// Clients of every kind at the control socket of a machine that runs.
@Suite("Control server", .serialized, .timeLimit(.minutes(10)))
struct ControlServerTests {
    private static let hello = #"{"id":1,"command":{"hello":{"version":1}}}"# + "\n"

    @Test("a client asks, and the machine does it")
    func commands() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let client = try await ControlClient(path: rig.path)
        #expect(client.greeting.version == ControlProtocol.version)
        #expect(try await client.perform(.pause) == .done("paused"))
        #expect(rig.machine.state == .paused)
        guard case .status(let status) = try await client.perform(.status) else {
            Issue.record("no status")
            return
        }
        #expect(status.state == .paused)
        #expect(try await client.perform(.resume) == .done("running"))
    }

    @Test("a guest that nobody can ask is not asked: stop says so at once")
    func stopWithoutAgent() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let client = try await ControlClient(path: rig.path)
        guard case .failed(let sentence) = try await client.perform(.stop(graceSeconds: 60)) else {
            Issue.record("it did not fail")
            return
        }
        #expect(sentence.contains("no agent answers"))
        #expect(rig.machine.state == .running)
    }

    @Test("who subscribed hears the end")
    func events() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let client = try await ControlClient(path: rig.path)
        let events = try await client.events()
        _ = try await client.perform(.quit)
        var last: VirtualMachine.Event?
        for await event in events { last = event }
        #expect(last == .ended(VirtualMachineEnd(reason: .stopped(.caller))))
    }

    @Test("nobody listens: one sentence")
    func nobody() async {
        let error = await #expect(throws: VirtualMachineError.self) { try await ControlClient(path: "/nonexistent/x") }
        #expect(error?.description == "no machine answers at the control socket '/nonexistent/x'")
    }

    @Test("a hundred clients at once get their answers, and no vCPU waited for one")
    func hundredClients() async throws {
        let rig = try ControlRig(ControlRig.chatter)
        try await rig.machine.start()
        let clients = try (0..<100).map { _ in try RawClient(rig.path) }
        for client in clients {
            client.send(Self.hello + #"{"id":2,"command":{"subscribe":{}}}"# + "\n")
            for id in 3..<8 { client.send(#"{"id":\#(id),"command":{"statistics":{}}}"# + "\n") }
        }
        let answered = clients.filter { $0.awaits(#""id":7,"reply":{"statistics""#, seconds: 240) }
        #expect(answered.count == 100)
        #expect(rig.machine.statistics.vcpuWaits == 0)
    }

    @Test("as many clients as there may be, and the next is refused with a sentence")
    func tooManyClients() async throws {
        let rig = try ControlRig(ControlRig.idle)
        let clients = try (0..<ControlProtocol.clientLimit).map { _ in try RawClient(rig.path) }
        for client in clients { client.send(Self.hello) }
        #expect(clients.allSatisfy { $0.awaits("processID") })
        let next = try RawClient(rig.path)
        #expect(next.awaits("128 clients are connected, which is the most"))
        #expect(next.awaitsEnd())
        withExtendedLifetime(clients) {}
    }

    @Test("a reader of the console that never reads loses what it does not take, and the guest goes on")
    func deafReader() async throws {
        let rig = try ControlRig(ControlRig.chatter)
        try await rig.machine.start()
        let deaf = try RawClient(rig.path)
        deaf.send(Self.hello + #"{"id":2,"command":{"attach":{}}}"# + "\n")
        #expect(deaf.awaits("attached"))
        let reader = try RawClient(rig.path)
        reader.send(Self.hello + #"{"id":2,"command":{"attach":{}}}"# + "\n")
        #expect(reader.awaits(bytes: 6_000_000, seconds: 240))
        #expect(rig.machine.statistics.vcpuWaits == 0)
        #expect(rig.machine.state == .running)
        withExtendedLifetime(deaf) {}
    }

    @Test("a client that asks and never reads is let go once its buffer is full")
    func deafClient() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let deaf = try RawClient(rig.path)
        deaf.send(Self.hello)
        let request = String(repeating: #"{"id":3,"command":{"help":{}}}"# + "\n", count: 8)
        let gone = Date(timeIntervalSinceNow: 120)
        while Date() < gone, rig.server.clientCount > 0 { deaf.send(request) }
        #expect(rig.server.clientCount == 0)
        #expect(try await ControlClient(path: rig.path).perform(.pause) == .done("paused"))
    }

    @Test("a line that is cut off is nothing, and others are served")
    func truncated() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let cut = try RawClient(rig.path)
        cut.send(Self.hello + #"{"id":2,"command":{"qu"#)
        #expect(cut.awaits("processID"))
        #expect(try await ControlClient(path: rig.path).perform(.pause) == .done("paused"))
    }

    @Test("a client of another version is refused, and let go")
    func version() async throws {
        let rig = try ControlRig(ControlRig.idle)
        let client = try RawClient(rig.path)
        client.send(#"{"id":1,"command":{"hello":{"version":99}}}"# + "\n")
        #expect(client.awaits("version 99 of the control protocol is not spoken here, only 1"))
        #expect(client.awaitsEnd())
    }

    @Test(
        "the machine's user and root are served, others are not",
        arguments: [(HostProcess.userID, true), (0, true), (HostProcess.userID + 1, false)])
    func peers(_ user: UInt32, _ isServed: Bool) throws {
        let rig = try ControlRig(ControlRig.idle)
        let refusal = rig.server.refusal(of: UnixStream.Peer(processID: 1, userID: user))
        #expect((refusal == nil) == isServed)
        #expect(rig.server.refusal(of: nil) != nil)
    }

    @Test("the socket is the user's alone")
    func mode() throws {
        let rig = try ControlRig(ControlRig.idle)
        let attributes = try FileManager.default.attributesOfItem(atPath: rig.path)
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }

    @Test("two attached readers see the same, and what either types reaches the guest")
    func twoReaders() async throws {
        let rig = try ControlRig(ControlRig.echo)
        try await rig.machine.start()
        let readers = try (0..<2).map { _ in try RawClient(rig.path) }
        for reader in readers { reader.send(Self.hello + #"{"id":2,"command":{"attach":{}}}"# + "\n") }
        #expect(readers.allSatisfy { $0.awaits("attached") })
        readers[0].send("from the first;")
        #expect(readers.allSatisfy { $0.awaits("from the first;") })
        readers[1].send("from the second;")
        #expect(readers.allSatisfy { $0.awaits("from the second;") })
    }

    @Test("who attaches later is shown what the guest wrote last")
    func replay() async throws {
        let rig = try ControlRig(ControlRig.echo)
        try await rig.machine.start()
        let first = try RawClient(rig.path)
        first.send(Self.hello + #"{"id":2,"command":{"attach":{}}}"# + "\n")
        #expect(first.awaits("attached"))
        first.send("earlier")
        #expect(first.awaits("earlier"))
        let later = try RawClient(rig.path)
        later.send(Self.hello + #"{"id":2,"command":{"attach":{}}}"# + "\n")
        #expect(later.awaits("earlier"))
    }

    @Test("a machine without an agent's port refuses a command")
    func noAgent() async throws {
        let rig = try ControlRig(ControlRig.idle)
        try await rig.machine.start()
        let error = await #expect(throws: VirtualMachineError.self) {
            try await ControlClient.execute(path: rig.path, GuestCommand(["ls"]))
        }
        #expect(error?.description.contains("no agent answers in the guest") == true)
    }
}
