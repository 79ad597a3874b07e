// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore

/// A guest that may send anything on its agent's port, and a host that uses the session meanwhile.
struct HostileGuest {
    private static let nonce: UInt64 = 0x0123_4567_89AB_CDEF
    /// docs/agent-protocol.md: what WELCOME begins with.
    private static let magic: [UInt8] = [
        0x00, 0x61, 0x70, 0x75, 0x73, 0x20, 0x61, 0x67, 0x65, 0x6E, 0x74, 0x0D, 0x0A, 0x1A, 0x01, 0xFF,
    ]

    private var input: FuzzInput
    private var client = AgentClient(nonce: nonce)
    private var executions: [AgentExecution] = []
    private var isOver = false
    /// Output of each stream that the client let through and that was not given back.
    private var outstanding: [AgentStream: [AgentExecution: Int]] = [:]

    init(_ input: FuzzInput) { self.input = input }

    /// Plays the input to its end.
    mutating func run() {
        while !input.isEmpty {
            step()
            drain()
        }
    }

    private mutating func step() {
        switch input.byte() % 12 {
        case 0: client.receive(input.bytes(Int(input.byte())))
        case 1: receive(type: 0x81, number: 0, Self.magic + words([1, nonceLow, nonceHigh, 2, 8, 65536]))
        case 2: receive(type: 0x80 | UInt32(input.byte()), number: number(), input.bytes(Int(input.byte())))
        case 3: receive(type: 0x80 | UInt32(input.byte() % 10), number: number(), words([input.integer()]))
        case 4: receive(type: 0x85, number: number(), words([UInt32(input.byte()), UInt32(input.byte()), 0]))
        case 5: execute()
        case 6: write()
        case 7: executions.randomElement(by: input.byte()).map { client.closeStdin($0) }
        case 8: executions.randomElement(by: input.byte()).map { client.signal($0, Int32(input.byte())) }
        case 9: client.ping(cookie: 7)
        case 10: receive(type: 0x83 + UInt32(input.byte() & 1), number: number(), [UInt8](repeating: 1, count: 1 << 16))
        default: consume()
        }
    }

    private var nonceLow: UInt32 { UInt32(truncatingIfNeeded: Self.nonce) }
    private var nonceHigh: UInt32 { UInt32(truncatingIfNeeded: Self.nonce >> 32) }

    private func words(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }

    private mutating func number() -> UInt32 { UInt32(input.byte() & 7) }

    private mutating func receive(type: UInt32, number: UInt32, _ payload: [UInt8]) {
        client.receive(words([UInt32(payload.count), number, type]) + payload)
    }

    private mutating func execute() {
        let arguments = [Array("true".utf8), input.bytes(Int(input.byte() & 15))]
        if let execution = try? client.execute(AgentCommand(arguments: arguments)) { executions.append(execution) }
    }

    private mutating func write() {
        guard let execution = executions.randomElement(by: input.byte()) else { return }
        let room = client.stdinRoom(execution)
        let taken = client.writeStdin(execution, [UInt8](repeating: 2, count: Int(input.byte()) * 600)[...])
        require(taken <= room && client.stdinRoom(execution) == room - taken, "\(taken) bytes go into room for \(room)")
    }

    private mutating func consume() {
        guard let execution = executions.randomElement(by: input.byte()) else { return }
        for stream in [AgentStream.stdout, .stderr] {
            let count = outstanding[stream, default: [:]].removeValue(forKey: execution) ?? 0
            client.consumed(execution, stream, count)
        }
    }

    /// Takes all events and all output, as a host's loop would.
    private mutating func drain() {
        do {
            while let event = try client.next() {
                require(!isOver, "events come after the session's end")
                take(event)
            }
        } catch {
            require(!error.description.isEmpty, "an error says nothing")
            isOver = true
        }
        var output = 0
        while client.hasOutput { output += client.takeOutput(atMost: 1000).count }
        require(output <= 1 << 20, "one step makes \(output) bytes of output")
    }

    private mutating func take(_ event: AgentEvent) {
        switch event {
        case .output(let execution, let stream, let bytes):
            require(executions.contains(execution), "output of a command that was not started")
            outstanding[stream, default: [:]][execution, default: 0] += bytes.count
            let held = outstanding[stream]?[execution] ?? 0
            require(held <= AgentProtocol.outputWindow, "\(held) bytes are held for one stream")
        case .ended(let execution, let exit):
            require(executions.contains(execution), "the end of a command that was not started")
            require((0...255).contains(exit.status), "a command ends with status \(exit.status)")
            executions.removeAll { $0 == execution }
            if case .signal = exit { plantedBug(!executions.isEmpty) }
        case .started(let execution, _), .stdinWritable(let execution), .stdinClosed(let execution):
            require(executions.contains(execution), "an event of a command that was not started")
        case .ready, .pong: break
        }
    }
}

extension Array {
    /// An element that `byte` picks.
    fileprivate func randomElement(by byte: UInt8) -> Element? { isEmpty ? nil : self[Int(byte) % count] }
}

/// The harness for libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAgent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var guest = HostileGuest(FuzzInput(start, count))
    guest.run()
    return 0
}
