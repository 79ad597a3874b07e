// SPDX-License-Identifier: Apache-2.0

import Host
import RISCV64
import X86_64
import Synchronization
import SystemPackage

/// Writes a line for each exception, interrupt and change of privilege.
///
/// Lines gather in one buffer, so that those of several harts keep their order, and go out when it is full or a moment
/// has passed. A reader that is slower than the guest slows the guest: a trace has no holes.
final class TraceWriter: HartTracer, ProcessorTracer {
    private struct State {
        var buffer: [UInt8] = []
        var isOver = false
    }

    private static let bufferSize = 64 << 10
    /// Milliseconds after which lines are shown though the buffer has room.
    private static let moment: UInt64 = 200

    private let descriptor: FileDescriptor
    private let isOwned: Bool
    private let state = Mutex(State())

    init(_ destination: TraceDestination) throws(HostError) {
        switch destination {
        case .standardError: (descriptor, isOwned) = (.standardError, false)
        case .file(let path):
            do throws(HostError) {
                descriptor = try Descriptor.open(
                    FilePath(path), .writeOnly, options: [.create, .truncate], mode: [.ownerReadWrite, .groupRead]
                ).take()
            } catch {
                throw HostError("cannot write the trace to '\(path)'", error.errno)
            }
            isOwned = true
        }
        state.withLock { $0.buffer.reserveCapacity(TraceWriter.bufferSize) }
    }

    /// Shows lines from time to time, on `loop`, until the end.
    func start(on loop: EventLoop) {
        loop.schedule(at: MonotonicTime.after(milliseconds: TraceWriter.moment)) { [weak self, weak loop] in
            guard let self, let loop else { return }
            let isOver = state.withLock { state in
                write(&state)
                return state.isOver
            }
            if !isOver { start(on: loop) }
        }
    }

    func transition(hart: Int, from: Privilege, to: Privilege, pc: UInt64, cause: UInt64?, value: UInt64) {
        append(TraceLine(hart: hart, from: from, to: to, pc: pc, cause: cause, value: value).text)
    }

    func transition(processor: Int, from: UInt8, to: UInt8, rip: UInt64, vector: UInt8?, code: UInt32) {
        append(
            ProcessorTraceLine(processor: processor, from: from, to: to, rip: rip, vector: vector, code: code).text)
    }

    private func append(_ line: String) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.buffer += line.utf8
            if state.buffer.count >= TraceWriter.bufferSize { write(&state) }
        }
    }

    /// Writes what is left; nothing is traced afterwards.
    func close() {
        state.withLock { state in
            guard !state.isOver else { return }
            write(&state)
            state.isOver = true
            if isOwned { try? descriptor.close() }
        }
    }

    private func write(_ state: inout State) {
        guard !state.buffer.isEmpty, !state.isOver else { return }
        // A trace that cannot be written any more, its reader gone or its disk full, is over; the guest goes on.
        if (try? descriptor.writeAll(state.buffer)) == nil { state.isOver = true }
        state.buffer.removeAll(keepingCapacity: true)
    }
}
