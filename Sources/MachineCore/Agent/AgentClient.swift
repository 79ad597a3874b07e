// SPDX-License-Identifier: Apache-2.0

/// The host's side of one session with a guest's agent: bytes in, events out; requests in, bytes out. No descriptor, no
/// clock and no thread inside.
///
/// The guest is not trusted: whatever it sends, memory stays bounded (one frame, and the output that the windows allow)
/// and the result is an event or an `AgentError`, after which the session is over. A session begins when the guest opens
/// its port; each time it does, make a new client.
public struct AgentClient {
    struct Execution {
        let number: UInt32
        var started = false
        var stdinWindow: UInt32
        var stdinClosed = false
        var stdinGone = false
        /// What the guest may still send on stdout and stderr.
        var credit = (stdout: AgentProtocol.outputWindow, stderr: AgentProtocol.outputWindow)
        /// What was consumed and not yet given back as credit.
        var consumed = (stdout: UInt32(0), stderr: UInt32(0))
    }

    let nonce: UInt64
    /// What the agent said when the session began; nil until then.
    public internal(set) var greeting: AgentGreeting?
    var executions: [Execution] = []
    var pings = 0
    var input: [UInt8] = []
    var inputStart = 0
    var failure: AgentError?
    private var output: [UInt8] = []
    private var outputStart = 0
    private var lastNumber: UInt32 = 0

    /// Begins a session: its greeting waits to be sent.
    /// - Parameter nonce: a random number, so that an answer to an earlier session is not taken for one to this.
    public init(nonce: UInt64) {
        self.nonce = nonce
        var payload = AgentProtocol.magic
        payload.append32(AgentProtocol.version)
        payload.append32(UInt32(truncatingIfNeeded: nonce))
        payload.append32(UInt32(truncatingIfNeeded: nonce >> 32))
        send(.hello, 0, payload)
    }

    /// Whether bytes wait for the port.
    public var hasOutput: Bool { outputStart < output.count }

    /// The next bytes for the port, at most `limit`.
    public mutating func takeOutput(atMost limit: Int) -> [UInt8] {
        let end = min(output.count, outputStart + max(limit, 0))
        let bytes = Array(output[outputStart..<end])
        outputStart = end
        if outputStart == output.count {
            output.removeAll(keepingCapacity: output.count <= 4 * AgentProtocol.dataLimit)
            outputStart = 0
        }
        return bytes
    }

    /// Starts a command. Its stdin is open until `closeStdin`.
    public mutating func execute(_ command: AgentCommand) throws(AgentError) -> AgentExecution {
        if let failure { throw failure }
        guard let greeting else { throw .notReady }
        guard executions.count < Int(greeting.executionLimit) else { throw .tooManyExecutions(greeting.executionLimit) }
        let payload = try command.payload()
        repeat { lastNumber &+= 1 } while lastNumber == 0 || index(of: lastNumber) != nil
        executions.append(Execution(number: lastNumber, stdinWindow: greeting.stdinWindow))
        send(.execute, lastNumber, payload)
        return AgentExecution(number: lastNumber)
    }

    /// How many bytes of stdin the command takes now. 0 once it has ended or closed its stdin.
    public func stdinRoom(_ execution: AgentExecution) -> Int {
        guard let index = index(of: execution.number) else { return 0 }
        let state = executions[index]
        return state.stdinClosed || state.stdinGone ? 0 : Int(state.stdinWindow)
    }

    /// Writes to the command's stdin and returns how many of the bytes were taken: as many as it has room for.
    public mutating func writeStdin(_ execution: AgentExecution, _ bytes: ArraySlice<UInt8>) -> Int {
        guard let index = index(of: execution.number) else { return 0 }
        let count = min(bytes.count, stdinRoom(execution))
        var rest = bytes.prefix(count)
        while !rest.isEmpty {
            let part = rest.prefix(AgentProtocol.dataLimit)
            send(.stdin, execution.number, part)
            rest = rest.dropFirst(part.count)
        }
        executions[index].stdinWindow -= UInt32(count)
        return count
    }

    /// Ends the command's stdin, after what was written.
    public mutating func closeStdin(_ execution: AgentExecution) {
        guard let index = index(of: execution.number), !executions[index].stdinClosed else { return }
        executions[index].stdinClosed = true
        send(.closeStdin, execution.number, [])
    }

    /// Sends a signal (the guest's number, 1 to 64) to the command and its children.
    public mutating func signal(_ execution: AgentExecution, _ number: Int32) {
        guard index(of: execution.number) != nil, (1...64).contains(number) else { return }
        var payload: [UInt8] = []
        payload.append32(UInt32(number))
        send(.signal, execution.number, payload)
    }

    /// Says that `count` bytes of output were dealt with, so that the command may write as many more.
    public mutating func consumed(_ execution: AgentExecution, _ stream: AgentStream, _ count: Int) {
        guard let index = index(of: execution.number), count > 0 else { return }
        let total = executions[index].addConsumed(stream, UInt32(clamping: count))
        // A quarter of the window at a time: few frames, and the command never runs dry.
        guard total >= AgentProtocol.outputWindow / 4 else { return }
        executions[index].giveBack(stream)
        var payload: [UInt8] = []
        payload.append32(stream.rawValue)
        payload.append32(total)
        send(.credit, execution.number, payload)
    }

    /// Asks the guest to power off in order, or to reboot.
    public mutating func powerOff(reboot: Bool = false) {
        var payload: [UInt8] = []
        payload.append32(reboot ? 1 : 0)
        send(.power, 0, payload)
    }

    /// Asks for a sign of life; the answer carries the same cookie. At most 16 may be unanswered: more are not sent.
    public mutating func ping(cookie: UInt64) {
        guard pings < 16 else { return }
        pings += 1
        var payload: [UInt8] = []
        payload.append32(UInt32(truncatingIfNeeded: cookie))
        payload.append32(UInt32(truncatingIfNeeded: cookie >> 32))
        send(.ping, 0, payload)
    }

    func index(of number: UInt32) -> Int? {
        executions.firstIndex { $0.number == number }
    }

    private mutating func send(_ type: AgentProtocol.Request, _ number: UInt32, _ payload: some Collection<UInt8>) {
        if outputStart > AgentProtocol.dataLimit {
            output.removeFirst(outputStart)
            outputStart = 0
        }
        output.append32(UInt32(payload.count))
        output.append32(number)
        output.append32(UInt32(type.rawValue))
        output.append(contentsOf: payload)
    }
}

extension AgentClient.Execution {
    /// The total that waits to be given back on this stream.
    mutating func addConsumed(_ stream: AgentStream, _ count: UInt32) -> UInt32 {
        // No more than was sent: a caller's mistake must not open the window.
        switch stream {
        case .stdout:
            consumed.stdout = min(consumed.stdout &+ count, AgentProtocol.outputWindow - credit.stdout)
            return consumed.stdout
        case .stderr:
            consumed.stderr = min(consumed.stderr &+ count, AgentProtocol.outputWindow - credit.stderr)
            return consumed.stderr
        }
    }

    mutating func giveBack(_ stream: AgentStream) {
        switch stream {
        case .stdout:
            credit.stdout += consumed.stdout
            consumed.stdout = 0
        case .stderr:
            credit.stderr += consumed.stderr
            consumed.stderr = 0
        }
    }

    /// Takes output out of the window; false if it holds less.
    mutating func spend(_ stream: AgentStream, _ count: UInt32) -> Bool {
        switch stream {
        case .stdout:
            guard count <= credit.stdout else { return false }
            credit.stdout -= count
        case .stderr:
            guard count <= credit.stderr else { return false }
            credit.stderr -= count
        }
        return true
    }
}
