// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// One debugger's conversation by GDB's remote serial protocol: bytes in, bytes out, no socket and no thread.
///
/// The debugger works in all-stop mode: it talks while the target stands still, lets it run, and waits for the one
/// event that `targetReported` brings. What comes from the debugger is bounded by `GDBFramer.packetSize`, whatever it
/// sends; what it asks and we do not know gets the empty reply that the protocol has for that.
package struct GDBSession: Sendable {
    /// How the conversation stands.
    package enum Phase: Equatable, Sendable {
        /// The target stands still and the debugger may ask.
        case stopped
        /// The target runs.
        case running
        /// The debugger has gone: the connection is to be closed.
        case over
    }

    package private(set) var phase = Phase.stopped
    let target: any DebugTarget
    /// The thread that register and memory packets mean.
    var selectedThread = 0
    /// The thread that `c` and `s` mean.
    var resumeThread = GDBThread.all
    /// What the debugger understands in stop replies.
    var reportsBreakpointKind = false
    /// What the target last reported, for `?`.
    private var lastEvent: DebugEvent
    private var framer = GDBFramer()
    private var acknowledges = true
    private var lastReply: [UInt8] = []
    private var output: [UInt8] = []
    /// Which kind the debugger asked for at an address, so that a stop is reported as that kind.
    var hardwareBreakpoints: Set<UInt64> = []

    /// A conversation about `target`, which stands still because of `event`.
    package init(_ target: any DebugTarget, stoppedBy event: DebugEvent = .interrupted(thread: 0)) {
        self.target = target
        lastEvent = event
        selectedThread = event.thread ?? 0
    }

    /// Takes what came from the debugger; the answer goes back to it.
    package mutating func receive(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        for byte in bytes where phase != .over {
            if let frame = framer.take(byte) { receive(frame) }
        }
        defer { output = [] }
        return output
    }

    /// Takes the target's report; what comes back goes to the debugger.
    package mutating func targetReported(_ event: DebugEvent) -> [UInt8] {
        guard phase == .running else { return [] }
        lastEvent = event
        selectedThread = event.thread ?? selectedThread
        phase = .stopped
        reply(stopReply())
        if case .ended = event { phase = .over }
        defer { output = [] }
        return output
    }

    private mutating func receive(_ frame: GDBFramer.Frame) {
        switch frame {
        case .acknowledge: break
        case .resend: if acknowledges { output += lastReply }
        case .damaged: if acknowledges { output.append(UInt8(ascii: "-")) }
        case .interrupt: if phase == .running { target.interrupt() }
        case .tooLong:
            acknowledge()
            if phase == .stopped { reply(GDBReply.invalid) }
        case .packet(let content):
            acknowledge()
            // All-stop: a debugger that waits for a stop reply asks nothing else.
            if phase == .stopped { handle(content) }
        }
    }

    private mutating func acknowledge() {
        if acknowledges { output.append(UInt8(ascii: "+")) }
    }

    /// Sends a packet with this content.
    mutating func reply(_ content: [UInt8]) {
        lastReply = GDBFramer.encode(content)
        output += lastReply
    }

    mutating func reply(_ text: String) { reply(Array(text.utf8)) }

    /// `QStartNoAckMode`: the reply is the last packet that is acknowledged.
    mutating func stopAcknowledging() {
        reply(GDBReply.ok)
        acknowledges = false
        framer.checksChecksum = false
    }

    /// Lets the target run; there is no reply until it reports.
    mutating func resume(_ actions: [DebugAction]) {
        phase = .running
        target.resume(actions)
    }

    /// The debugger goes; with `kill` the machine ends too.
    mutating func end(kill: Bool) {
        phase = .over
        target.removeAllPoints()
        if kill { target.kill() } else { target.detach() }
    }

    /// The connection was lost: as if the debugger had detached.
    package mutating func connectionLost() {
        if phase != .over { end(kill: false) }
    }

    /// The program counter goes to `address` before the target runs on, where a packet says so.
    mutating func setProgramCounter(_ address: UInt64?) {
        guard let address else { return }
        _ = target.setRegister(target.registers.programCounter, to: address, thread: selectedThread)
    }
}

extension GDBSession {
    /// Why the target stands still (GDB manual, appendix E.3 "Stop Reply Packets").
    func stopReply() -> String {
        switch lastEvent {
        case .ended(let code): return "W" + String(decoding: [UInt8](hex: [code]), as: UTF8.self)
        case .interrupted(let thread): return stopReply(signal: "02", thread: thread, reason: "")
        case .panicked(let thread): return stopReply(signal: "06", thread: thread, reason: "")
        case .stopped(let thread, let stop):
            return stopReply(signal: "05", thread: thread, reason: reason(stop, thread: thread))
        }
    }

    private func stopReply(signal: String, thread: Int, reason: String) -> String {
        let number = target.registers.programCounter
        var text = "T\(signal)"
        if let pc = target.register(number, thread: thread), let register = target.registers[number] {
            let value = String(decoding: [UInt8](hex: pc, bytes: register.bits / 8), as: UTF8.self)
            text += "\(String(number, radix: 16)):\(value);"
        }
        return text + "thread:\(String(thread + 1, radix: 16));\(reason)"
    }

    private func reason(_ stop: DebugStop, thread: Int) -> String {
        switch stop {
        case .step: return ""
        case .breakpoint:
            guard reportsBreakpointKind else { return "" }
            let pc = target.register(target.registers.programCounter, thread: thread)
            return pc.map(hardwareBreakpoints.contains) == true ? "hwbreak:;" : "swbreak:;"
        case .watchpoint(let address, let kind):
            let name =
                switch kind {
                case .write: "watch"
                case .read: "rwatch"
                case .access: "awatch"
                }
            return "\(name):\(String(address, radix: 16));"
        }
    }
}

extension DebugEvent {
    /// The thread that the event is about, if it is about one.
    var thread: Int? {
        switch self {
        case .stopped(let thread, _), .interrupted(let thread), .panicked(let thread): thread
        case .ended: nil
        }
    }
}

/// Replies that many packets share. The numbers are errno's, as other stubs give them.
enum GDBReply {
    static let ok = "OK"
    /// Not known here: the debugger does without.
    static let unsupported = ""
    /// EINVAL: the packet makes no sense.
    static let invalid = "E16"
    /// EFAULT: no such memory or register.
    static let fault = "E0e"
    /// ENOSPC: no more breakpoints.
    static let full = "E1c"
    /// ESRCH: no such thread.
    static let noThread = "E03"
}
