// SPDX-License-Identifier: Apache-2.0

extension GDBSession {
    /// Handles a `q` packet (GDB manual, appendix E.4 "General Query Packets").
    mutating func handleQuery(_ reader: inout GDBReader) {
        if reader.take("Supported") {
            announce(reader.text)
        } else if reader.take("Xfer:features:read:") {
            transferFeatures(&reader)
        } else if reader.take("fThreadInfo") {
            reply("m" + (1...target.threadCount).map { String($0, radix: 16) }.joined(separator: ","))
        } else if reader.take("sThreadInfo") {
            reply("l")
        } else if reader.take("ThreadExtraInfo,") {
            guard let thread = reader.thread().flatMap(existing) else { return reply(GDBReply.noThread) }
            reply(.init(hex: target.describe(thread: thread).utf8.prefix(GDBFramer.packetSize / 2)))
        } else if reader.take("Attached") {
            // The machine was there before the debugger, and stays when it goes.
            reply("1")
        } else if reader.take("Rcmd,") {
            runMonitor(&reader)
        } else if reader.take("C") && reader.isAtEnd {
            reply("QC\(String(selectedThread + 1, radix: 16))")
        } else {
            reply(GDBReply.unsupported)
        }
    }

    private mutating func announce(_ features: String) {
        reportsBreakpointKind = features.contains("swbreak+") && features.contains("hwbreak+")
        let size = String(GDBFramer.packetSize, radix: 16)
        reply("PacketSize=\(size);QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+")
    }

    /// `target.xml:OFFSET,LENGTH`: a piece of the target description, after `m` if there is more and `l` if not.
    private mutating func transferFeatures(_ reader: inout GDBReader) {
        guard reader.take("target.xml:") else { return reply("E00") }
        guard let offset = reader.number(), reader.take(","), let length = reader.number(), reader.isAtEnd else {
            return reply(GDBReply.invalid)
        }
        let document = Array(target.registers.description.utf8)
        guard offset <= document.count else { return reply(GDBReply.invalid) }
        // Escaping at most doubles a byte.
        let most = min(length, UInt64(GDBFramer.packetSize / 2 - 1))
        let piece = document.dropFirst(Int(truncatingIfNeeded: offset)).prefix(Int(truncatingIfNeeded: most))
        let isLast = Int(truncatingIfNeeded: offset) + piece.count == document.count
        reply([UInt8(ascii: isLast ? "l" : "m")] + piece)
    }

    /// `monitor LINE` at the debugger's prompt.
    private mutating func runMonitor(_ reader: inout GDBReader) {
        guard let line = reader.bytes() else { return reply(GDBReply.invalid) }
        let answer = target.monitor(String(decoding: line, as: UTF8.self))
        if answer.isEmpty { return reply(GDBReply.ok) }
        reply(.init(hex: (answer.hasSuffix("\n") ? answer : answer + "\n").utf8.prefix(GDBFramer.packetSize / 2)))
    }
}
