// SPDX-License-Identifier: Apache-2.0

import ApusKit
import MachineCore
import Testing

@Suite("GDB session")
struct GDBSessionTests {
    @Test(
        "a packet gets its reply",
        arguments: [
            ("?", "T0220:0000008000000000;thread:1;"),
            ("qC", "QC1"),
            ("qfThreadInfo", "m1,2"),
            ("qsThreadInfo", "l"),
            ("qThreadExtraInfo,2", "686172742031"),
            ("qThreadExtraInfo,3", "E03"),
            ("qAttached", "1"),
            ("T2", "OK"),
            ("T3", "E03"),
            ("Tx", "E03"),
            ("Hg2", "OK"),
            ("Hg0", "OK"),
            ("Hg9", "E03"),
            ("Hc-1", "OK"),
            ("Hx1", ""),
            ("vCont?", "vCont;c;C;s;S"),
            ("vMustReplyEmpty", ""),
            ("qTStatus", ""),
            ("qRcmd,737461747573", "6865617264207374617475730a"),
            ("qRcmd,", "OK"),
            ("qRcmd,7", "E16"),
            ("p20", "0000008000000000"),
            ("p1fff", "E0e"),
            ("pffffffffffffffff", "E0e"),
            ("p", "E16"),
            ("P5=0100000000000000", "OK"),
            ("P5=01", "E0e"),
            ("P5", "E16"),
            ("m80000000,4", "00010203"),
            ("m8000003e,8", "3e3f"),
            ("m80000000,0", ""),
            ("m0,4", "E0e"),
            ("mffffffffffffffff,ffffffffffffffff", "E0e"),
            ("m80000000", "E16"),
            ("m11111111111111111,1", "E16"),
            ("M80000000,2:ffee", "OK"),
            ("M80000000,2:ff", "E16"),
            ("M80000000,1:fx", "E16"),
            ("M8000003f,2:ffee", "E0e"),
            ("X80000000,0:", "OK"),
            ("X80000000,3:abc", "OK"),
            ("X80000000,2:abc", "E16"),
            ("Z0,80000004,4", "OK"),
            ("z0,80000004,4", "OK"),
            ("Z2,80000008,8", "OK"),
            ("Z2,80000008,0", "E16"),
            ("Z2,ffffffffffffffff,2", "E16"),
            ("Z9,0,0", ""),
            ("Z0", "E16"),
            ("vCont;x", "E16"),
            ("vCont", "E16"),
            ("vCont;c:9", "E03"),
            ("vCont;c:", "E03"),
            ("vCont;cc", "E16"),
            ("qXfer:features:read:other.xml:0,10", "E00"),
            ("qXfer:features:read:target.xml:ffffff,10", "E16"),
            ("qXfer:memory-map:read::0,10", ""),
            ("", ""),
        ])
    func reply(_ packet: String, _ expected: String) {
        let target = RecordingTarget(threads: 2)
        var session = GDBSession(target)
        #expect(session.ask(packet) == expected)
    }

    @Test("each packet is acknowledged, until the debugger asks for none")
    func acknowledgements() {
        var session = GDBSession(RecordingTarget())
        #expect(session.receive("$qC#b4".utf8) == Array("+$QC1#c5".utf8))
        #expect(session.receive("$QStartNoAckMode#b0".utf8) == Array("+$OK#9a".utf8))
        #expect(session.receive("+$qC#b4".utf8) == Array("$QC1#c5".utf8))
    }

    @Test("a damaged packet is refused, and `-` brings the last reply again")
    func resend() {
        var session = GDBSession(RecordingTarget())
        #expect(session.receive("$qC#00".utf8) == Array("-".utf8))
        _ = session.receive("$qC#b4".utf8)
        #expect(session.receive("-".utf8) == Array("$QC1#c5".utf8))
    }

    @Test("the target description arrives whole in pieces, and names the standard features")
    func description() {
        var session = GDBSession(RecordingTarget())
        var document = ""
        var piece = "m"
        while piece.first == "m" {
            let offset = String(document.utf8.count, radix: 16)
            piece = session.ask("qXfer:features:read:target.xml:\(offset),7ff")
            document += piece.dropFirst()
        }
        #expect(document == DebugRegisterSet.riscv64.description)
        #expect(document.contains("org.gnu.gdb.riscv.cpu") && document.contains("org.gnu.gdb.riscv.fpu"))
        #expect(document.contains("org.gnu.gdb.riscv.csr") && document.contains("org.gnu.gdb.riscv.virtual"))
    }

    @Test("no two registers share a number or a name")
    func registersAreDistinct() {
        let registers = DebugRegisterSet.riscv64.features.flatMap(\.registers)
        #expect(Set(registers.map(\.number)).count == registers.count)
        #expect(Set(registers.map(\.name)).count == registers.count)
    }

    @Test("`G` sets the registers that `g` reads")
    func generalRegisters() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        let image = (0..<33 * 8).map { String($0 & 0xFF | 0x100, radix: 16).dropFirst() }.joined()
        #expect(session.ask("G\(image)") == "OK")
        #expect(session.ask("g") == image)
        #expect(target.values[0][32] == 0x0706_0504_0302_0100)
    }

    @Test("a binary write may carry escaped bytes")
    func binaryWrite() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        #expect(session.ask(Array("X80000000,4:".utf8) + [0x23, 0x24, 0x7D, 0x2A]) == "OK")
        #expect(target.memory.prefix(4) == [0x23, 0x24, 0x7D, 0x2A])
    }

    @Test(
        "resuming says what each thread does",
        arguments: [
            (["c"], [DebugAction.run, .run, .run]),
            (["Hc2", "c"], [.stay, .run, .stay]),
            (["Hc2", "s"], [.run, .step, .run]),
            (["s"], [.step, .run, .run]),
            (["C05"], [.run, .run, .run]),
            (["vCont;c"], [.run, .run, .run]),
            (["vCont;s:2;c"], [.run, .step, .run]),
            (["vCont;s:1"], [.step, .stay, .stay]),
            (["vCont;S05:1;C05:3"], [.step, .stay, .run]),
            (["vCont;c:-1"], [.run, .run, .run]),
        ])
    func resuming(_ packets: [String], _ actions: [DebugAction]) {
        let target = RecordingTarget(threads: 3)
        var session = GDBSession(target)
        let replies = packets.map { session.ask($0) }
        #expect(replies.last == "")
        #expect(target.calls == [.resume(actions)])
        #expect(session.phase == .running)
    }

    @Test("`c` with an address goes on from there")
    func resumeAt() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        _ = session.ask("c80000010")
        #expect(target.values[0][32] == 0x8000_0010)
    }

    @Test(
        "an event of the running target becomes a stop reply",
        arguments: [
            (DebugEvent.stopped(thread: 1, .breakpoint), "T0520:0000008000000000;thread:2;swbreak:;"),
            (.stopped(thread: 0, .step), "T0520:0000008000000000;thread:1;"),
            (
                .stopped(thread: 0, .watchpoint(0x8000_0010, .write)),
                "T0520:0000008000000000;thread:1;watch:80000010;"
            ),
            (.stopped(thread: 0, .watchpoint(0x10, .read)), "T0520:0000008000000000;thread:1;rwatch:10;"),
            (.stopped(thread: 0, .watchpoint(0x10, .access)), "T0520:0000008000000000;thread:1;awatch:10;"),
            (.interrupted(thread: 0), "T0220:0000008000000000;thread:1;"),
            (.panicked(thread: 1), "T0620:0000008000000000;thread:2;"),
            (.ended(code: 7), "W07"),
        ])
    func stops(_ event: DebugEvent, _ expected: String) {
        var session = GDBSession(RecordingTarget(threads: 2))
        _ = session.ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
        _ = session.ask("c")
        #expect(GDBSession.text(session.targetReported(event)) == expected)
        #expect(session.phase == (expected == "W07" ? .over : .stopped))
    }

    @Test("a debugger that does not know breakpoint kinds is not told them")
    func plainBreakpoint() {
        var session = GDBSession(RecordingTarget())
        _ = session.ask("c")
        let stop = session.targetReported(.stopped(thread: 0, .breakpoint))
        #expect(GDBSession.text(stop) == "T0520:0000008000000000;thread:1;")
    }

    @Test("after a stop, registers are those of the thread that stopped")
    func selection() {
        let target = RecordingTarget(threads: 2)
        target.values[1][10] = 0x42
        var session = GDBSession(target)
        _ = session.ask("c")
        _ = session.targetReported(.stopped(thread: 1, .breakpoint))
        #expect(session.ask("pa") == "4200000000000000")
        #expect(session.ask("qC") == "QC2")
    }

    @Test("while the target runs only the interrupt byte is heard")
    func running() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        _ = session.ask("c")
        #expect(session.ask("g") == "")
        _ = session.receive([0x03])
        #expect(target.calls == [.resume([.run]), .interrupt])
    }

    @Test("the interrupt byte is not heard while the target stands, nor an event without a run")
    func stopped() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        #expect(session.receive([0x03]).isEmpty)
        #expect(session.targetReported(.interrupted(thread: 0)).isEmpty)
        #expect(target.calls.isEmpty)
    }

    @Test("points are set by kind and taken away, and a full table says so")
    func points() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        _ = session.ask("Z1,80000010,2")
        _ = session.ask("Z2,80000020,8")
        _ = session.ask("Z3,80000020,8")
        _ = session.ask("Z4,80000020,8")
        #expect(
            target.points == [
                .breakpoint(0x8000_0010), .watchpoint(0x8000_0020, count: 8, kind: .write),
                .watchpoint(0x8000_0020, count: 8, kind: .read), .watchpoint(0x8000_0020, count: 8, kind: .access),
            ])
        _ = session.ask("z3,80000020,8")
        #expect(target.points.count == 3)
        target.mostPoints = 3
        #expect(session.ask("Z0,0,4") == "E1c")
    }

    @Test(
        "going away takes all points along",
        arguments: [("D", "OK", RecordingTarget.Call.detach), ("k", "", .kill), ("vKill;1", "OK", .kill)])
    func leaving(_ packet: String, _ expected: String, _ call: RecordingTarget.Call) {
        let target = RecordingTarget()
        var session = GDBSession(target)
        #expect(session.ask(packet) == expected)
        #expect(target.calls == [.removeAll, call])
        #expect(session.phase == .over)
    }

    @Test("a lost connection is a detach, once")
    func lost() {
        let target = RecordingTarget()
        var session = GDBSession(target)
        session.connectionLost()
        session.connectionLost()
        #expect(target.calls == [.removeAll, .detach])
    }

    @Test("random bytes never grow the answer beyond the packets' bound", arguments: 0..<64)
    func noise(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let alphabet = Array("$#}*+-:;,gGmMXZzpPHTcsvqQDk?0123456789abcdef\u{3}Cont".utf8)
        let bytes = (0..<4096).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return alphabet[Int(state >> 33) % alphabet.count]
        }
        var session = GDBSession(RecordingTarget(threads: 3))
        let answer = session.receive(bytes)
        #expect(answer.count <= bytes.count * (GDBFramer.packetSize + 8))
    }
}
