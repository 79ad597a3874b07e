// SPDX-License-Identifier: Apache-2.0

extension AgentClient {
    /// Takes bytes that came from the guest's port. Call `next` until it returns nil before taking more: nothing is
    /// decoded ahead of it, so that what is held is what was given here and at most one frame.
    public mutating func receive(_ bytes: some Collection<UInt8>) {
        guard failure == nil else { return }
        if inputStart > 0 {
            input.removeFirst(inputStart)
            inputStart = 0
        }
        input.append(contentsOf: bytes)
    }

    /// The next thing that happened, or nil when more bytes are needed. An error ends the session.
    public mutating func next() throws(AgentError) -> AgentEvent? {
        if let failure { throw failure }
        do {
            while true {
                if greeting == nil {
                    guard let greeting = try findWelcome() else { return nil }
                    self.greeting = greeting
                    return .ready(greeting)
                }
                guard let frame = try nextFrame() else { return nil }
                return try event(for: frame)
            }
        } catch {
            failure = error
            input = []
            inputStart = 0
            executions = []
            throw error
        }
    }

    private struct Frame {
        let type: AgentProtocol.Reply
        let number: UInt32
        let payload: ArraySlice<UInt8>

        func word(_ index: Int) -> UInt32 {
            let start = payload.startIndex + 4 * index
            return (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(payload[start + $1]) }
        }
    }

    /// Before the session: everything up to the answer to our greeting is an earlier one's.
    private mutating func findWelcome() throws(AgentError) -> AgentGreeting? {
        let magic = AgentProtocol.magic
        let payloadSize = magic.count + 24
        let whole = AgentProtocol.headerSize + payloadSize
        while input.count - inputStart >= whole {
            let start = inputStart
            let payload = start + AgentProtocol.headerSize
            inputStart += 1
            guard input[payload..<payload + magic.count].elementsEqual(magic),
                input.load32(at: start) == UInt32(payloadSize),
                input.load32(at: start + 8) == UInt32(AgentProtocol.Reply.welcome.rawValue)
            else { continue }
            let fields = payload + magic.count
            let answered = UInt64(input.load32(at: fields + 4)) | UInt64(input.load32(at: fields + 8)) << 32
            guard answered == nonce else { continue }
            inputStart = start + whole
            let version = input.load32(at: fields)
            guard version == AgentProtocol.version else { throw .version(version) }
            let (network, limit, window) = (
                input.load32(at: fields + 12), input.load32(at: fields + 16), input.load32(at: fields + 20)
            )
            guard let network = AgentNetwork(rawValue: network) else {
                throw .malformed("an unknown state of the network", UInt64(network))
            }
            guard (1...1024).contains(limit) else { throw .malformed("a wrong number of commands", UInt64(limit)) }
            guard (1...(16 << 20)).contains(window) else {
                throw .malformed("a wrong window for stdin", UInt64(window))
            }
            return AgentGreeting(network: network, executionLimit: limit, stdinWindow: window)
        }
        return nil
    }

    private mutating func nextFrame() throws(AgentError) -> Frame? {
        let available = input.count - inputStart
        guard available >= AgentProtocol.headerSize else { return nil }
        let size = input.load32(at: inputStart)
        let code = input.load32(at: inputStart + 8)
        guard size <= UInt32(AgentProtocol.dataLimit) else { throw .malformed("a frame is too long", UInt64(size)) }
        guard let raw = UInt16(exactly: code), let type = AgentProtocol.Reply(rawValue: raw) else {
            throw .malformed("an unknown frame", UInt64(code))
        }
        guard available >= AgentProtocol.headerSize + Int(size) else { return nil }
        let start = inputStart + AgentProtocol.headerSize
        let number = input.load32(at: inputStart + 4)
        inputStart = start + Int(size)
        return Frame(type: type, number: number, payload: input[start..<inputStart])
    }

    private mutating func event(for frame: Frame) throws(AgentError) -> AgentEvent {
        switch frame.type {
        case .welcome:
            throw .malformed("a second welcome", 0)
        case .error:
            throw .refused(Array(frame.payload))
        case .pong:
            try check(frame, size: 12)
            guard pings > 0 else { throw .malformed("an answer to no ping", 0) }
            pings -= 1
            let network = try network(frame.word(2))
            return .pong(cookie: UInt64(frame.word(0)) | UInt64(frame.word(1)) << 32, network: network)
        case .started, .stdout, .stderr, .exit, .stdinCredit, .stdinClosed:
            guard let index = index(of: frame.number) else {
                throw .malformed("a frame for no command of ours", UInt64(frame.number))
            }
            return try event(for: frame, at: index)
        }
    }

    private mutating func event(for frame: Frame, at index: Int) throws(AgentError) -> AgentEvent {
        let execution = AgentExecution(number: frame.number)
        switch frame.type {
        case .started:
            try check(frame, size: 4)
            guard !executions[index].started else { throw .malformed("a command started twice", UInt64(frame.number)) }
            executions[index].started = true
            return .started(execution, process: frame.word(0))
        case .stdout:
            return try output(frame, at: index, .stdout)
        case .stderr:
            return try output(frame, at: index, .stderr)
        case .stdinCredit:
            try check(frame, size: 4)
            let room = (greeting?.stdinWindow ?? 0) - executions[index].stdinWindow
            guard frame.word(0) > 0, frame.word(0) <= room else {
                throw .malformed("more room for stdin than was taken", UInt64(frame.word(0)))
            }
            executions[index].stdinWindow += frame.word(0)
            return .stdinWritable(execution)
        case .stdinClosed:
            try check(frame, size: 0)
            guard !executions[index].stdinGone else { throw .malformed("stdin closed twice", UInt64(frame.number)) }
            executions[index].stdinGone = true
            return .stdinClosed(execution)
        default:
            try check(frame, size: 12)
            let exit = try exit(frame)
            executions.remove(at: index)
            return .ended(execution, exit)
        }
    }

    private mutating func output(_ frame: Frame, at index: Int, _ stream: AgentStream) throws(AgentError) -> AgentEvent
    {
        guard !frame.payload.isEmpty else { throw .malformed("output without bytes", UInt64(frame.number)) }
        guard executions[index].spend(stream, UInt32(frame.payload.count)) else {
            throw .malformed("output past its window", UInt64(frame.payload.count))
        }
        return .output(AgentExecution(number: frame.number), stream, Array(frame.payload))
    }

    private func exit(_ frame: Frame) throws(AgentError) -> AgentExit {
        let (kind, value, stage) = (frame.word(0), frame.word(1), frame.word(2))
        switch kind {
        case 0 where value <= 255:
            return .code(Int32(value))
        case 1 where (1...127).contains(value):
            return .signal(Int32(value))
        case 2:
            guard let stage = AgentExit.Stage(rawValue: stage), value < 4096 else { break }
            return .notStarted(stage, errno: Int32(value))
        default:
            break
        }
        throw .malformed("an end of no kind", UInt64(kind) << 32 | UInt64(value))
    }

    private func network(_ value: UInt32) throws(AgentError) -> AgentNetwork {
        guard let network = AgentNetwork(rawValue: value) else {
            throw .malformed("an unknown state of the network", UInt64(value))
        }
        return network
    }

    private func check(_ frame: Frame, size: Int) throws(AgentError) {
        guard frame.payload.count == size else {
            throw .malformed("a frame of a wrong size", UInt64(frame.payload.count))
        }
    }
}
