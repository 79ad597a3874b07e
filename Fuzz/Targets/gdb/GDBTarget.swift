// SPDX-License-Identifier: Apache-2.0

import ApusKit
import FuzzSupport
import MachineCore

/// A machine of two threads and 4 KiB of memory that notes nothing: only the protocol is tested.
// Sendable though it changes: the fuzzer has one thread.
final class IdleTarget: DebugTarget, @unchecked Sendable {
    let registers = DebugRegisterSet.riscv64
    let threadCount = 2
    private let base: UInt64 = 0x8000_0000
    private var memory = [UInt8](repeating: 0x13, count: 4096)
    private var points: Set<DebugPoint> = []

    func register(_ number: Int, thread: Int) -> UInt64? {
        checkThread(thread)
        return registers[number].map { _ in UInt64(truncatingIfNeeded: number) }
    }

    func setRegister(_ number: Int, to value: UInt64, thread: Int) -> Bool {
        checkThread(thread)
        return registers[number] != nil
    }

    func readMemory(at address: UInt64, count: Int, thread: Int) -> [UInt8] {
        checkThread(thread)
        require(count >= 0, "a read of \(count) bytes")
        guard address >= base, address - base < UInt64(memory.count) else { return [] }
        return Array(memory.dropFirst(Int(address - base)).prefix(count))
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, thread: Int) -> Bool {
        checkThread(thread)
        guard address >= base, address - base <= UInt64(memory.count),
            bytes.count <= memory.count - Int(address - base)
        else { return false }
        let start = Int(address - base)
        memory.replaceSubrange(start..<start + bytes.count, with: bytes)
        return true
    }

    func insert(_ point: DebugPoint) -> Bool {
        if case .watchpoint(let address, let count, .read) = point {
            plantedBug(count > 8 && address & 3 != 0)
        }
        guard points.count < 16 else { return false }
        points.insert(point)
        return true
    }

    func remove(_ point: DebugPoint) { points.remove(point) }
    func removeAllPoints() { points = [] }
    func resume(_ actions: [DebugAction]) {
        require(actions.count == threadCount, "\(actions.count) actions for \(threadCount) threads")
    }
    func interrupt() {}
    func describe(thread: Int) -> String {
        checkThread(thread)
        return "hart \(thread)"
    }
    func monitor(_ line: String) -> String { line }
    func kill() {}
    func detach() {}

    private func checkThread(_ thread: Int) {
        require((0..<threadCount).contains(thread), "there is no thread \(thread)")
    }
}

/// The harness for libFuzzer. Lines of the input are packets, which it wraps with right checksums; a line that begins
/// with 0 goes in as it is, one that begins with 1 is the target's own report.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGDB(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    var session = GDBSession(IdleTarget())
    while !input.isEmpty {
        let line = input.bytes(upTo: UInt8(ascii: "\n"))
        let answer: [UInt8]
        switch line.first {
        case 0: answer = session.receive(line.dropFirst())
        case 1: answer = session.targetReported(report(line.dropFirst().first ?? 0))
        default: answer = session.receive(GDBFramer.encode(line))
        }
        // Each packet has at most one reply of bounded size, escaped at worst to twice its size, and an acknowledgement.
        let most = (line.count + 1) * (2 * GDBFramer.packetSize + 8)
        require(answer.count <= most, "\(answer.count) bytes answer \(line.count)")
    }
    session.connectionLost()
    require(session.phase == .over, "the session outlives its connection")
    return 0
}

private func report(_ byte: UInt8) -> DebugEvent {
    let thread = Int(byte >> 7)
    switch byte & 7 {
    case 0: return .stopped(thread: thread, .step)
    case 1: return .stopped(thread: thread, .breakpoint)
    case 2: return .stopped(thread: thread, .watchpoint(0x8000_0000, .write))
    case 3: return .stopped(thread: thread, .watchpoint(.max, .read))
    case 4: return .interrupted(thread: thread)
    case 5: return .panicked(thread: thread)
    default: return .ended(code: byte)
    }
}
