// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// A clock that stands until a test moves it.
final class HandClock: Clock, Calendar {
    private let now: Atomic<UInt64>

    init(_ nanoseconds: UInt64 = 0) { now = Atomic(nanoseconds) }

    var nanoseconds: UInt64 { now.load(ordering: .relaxed) }
    var nanosecondsSinceEpoch: UInt64 { nanoseconds }
    func set(_ nanoseconds: UInt64) { now.store(nanoseconds, ordering: .relaxed) }
}

/// The outside of a serial port: keeps what it is sent, up to a bound, and counts calls to go on.
final class StreamRecorder: StreamBackend {
    private let state = Mutex((sent: [UInt8](), resumes: 0))
    private let bound: Int

    init(bound: Int = .max) { self.bound = bound }

    var sent: [UInt8] { state.withLock { $0.sent } }
    var resumes: Int { state.withLock { $0.resumes } }

    func send(_ bytes: [UInt8]) -> Int {
        state.withLock {
            let taken = min(bytes.count, bound - $0.sent.count)
            $0.sent += bytes.prefix(taken)
            return taken
        }
    }

    func resume() { state.withLock { $0.resumes += 1 } }
}

/// Keeps what it is handed, in order.
final class Recorder<Element: Sendable>: Sendable {
    private let kept = Mutex([Element]())
    var all: [Element] { kept.withLock { $0 } }
    func record(_ element: Element) { kept.withLock { $0.append(element) } }
}

/// xorshift64*: the same numbers in each run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

extension Device {
    func readByte(_ offset: UInt64) -> UInt64 { read(at: offset, width: .byte) }
    func writeByte(_ value: UInt64, _ offset: UInt64) { write(value, at: offset, width: .byte) }
    func readWord(_ offset: UInt64) -> UInt64 { read(at: offset, width: .word) }
    func writeWord(_ value: UInt64, _ offset: UInt64) { write(value, at: offset, width: .word) }
    func readDouble(_ offset: UInt64) -> UInt64 { read(at: offset, width: .double) }
    func writeDouble(_ value: UInt64, _ offset: UInt64) { write(value, at: offset, width: .double) }
    /// What an adaptor does after an access, with the lock free.
    func performWork() { takeWork()?() }
}
