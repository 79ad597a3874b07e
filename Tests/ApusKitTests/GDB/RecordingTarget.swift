// SPDX-License-Identifier: Apache-2.0

import ApusKit
import MachineCore

/// A debug target of plain memory and registers that notes what it is asked for.
/// Used by one test at a time.
final class RecordingTarget: DebugTarget, @unchecked Sendable {
    enum Call: Equatable {
        case resume([DebugAction])
        case interrupt, kill, detach, removeAll
    }

    var calls: [Call] = []
    var points: Set<DebugPoint> = []
    var values: [[Int: UInt64]]
    var memoryBase: UInt64 = 0x8000_0000
    var memory: [UInt8]
    var mostPoints = 1024

    let registers = DebugRegisterSet.riscv64

    init(threads: Int = 1, memory: [UInt8] = Array(0..<64)) {
        values = .init(repeating: [32: 0x8000_0000], count: threads)
        self.memory = memory
    }

    var threadCount: Int { values.count }

    func register(_ number: Int, thread: Int) -> UInt64? {
        registers[number].map { _ in values[thread][number] ?? 0 }
    }

    func setRegister(_ number: Int, to value: UInt64, thread: Int) -> Bool {
        guard registers[number] != nil else { return false }
        values[thread][number] = value
        return true
    }

    func readMemory(at address: UInt64, count: Int, thread: Int) -> [UInt8] {
        guard address >= memoryBase, address - memoryBase < UInt64(memory.count) else { return [] }
        return Array(memory.dropFirst(Int(address - memoryBase)).prefix(count))
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, thread: Int) -> Bool {
        guard address >= memoryBase, address - memoryBase <= UInt64(memory.count - bytes.count) else { return false }
        let start = Int(address - memoryBase)
        memory.replaceSubrange(start..<start + bytes.count, with: bytes)
        return true
    }

    func insert(_ point: DebugPoint) -> Bool {
        guard points.count < mostPoints else { return false }
        points.insert(point)
        return true
    }

    func remove(_ point: DebugPoint) { points.remove(point) }

    func removeAllPoints() {
        points = []
        calls.append(.removeAll)
    }

    func resume(_ actions: [DebugAction]) { calls.append(.resume(actions)) }
    func interrupt() { calls.append(.interrupt) }
    func describe(thread: Int) -> String { "hart \(thread)" }
    func monitor(_ line: String) -> String { line.isEmpty ? "" : "heard \(line)" }
    func kill() { calls.append(.kill) }
    func detach() { calls.append(.detach) }
}

extension GDBSession {
    /// Sends one packet and answers with the text of what came back, acknowledgements and checksums taken off.
    mutating func ask(_ packet: String) -> String { ask(Array(packet.utf8)) }

    mutating func ask(_ packet: [UInt8]) -> String { Self.text(receive(GDBFramer.encode(packet))) }

    static func text(_ bytes: [UInt8]) -> String {
        var framer = GDBFramer()
        let packets = bytes.compactMap { byte -> [UInt8]? in
            if case .packet(let content)? = framer.take(byte) { content } else { nil }
        }
        return packets.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
    }
}
