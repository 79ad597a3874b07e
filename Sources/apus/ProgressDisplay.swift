// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Synchronization

/// Shows long work on stderr: one line that changes on a terminal, plain lines where it is piped.
final class ProgressDisplay: Sendable {
    private struct State {
        var step = ""
        var shownPercent = -1
        var isLineOpen = false
    }

    private let state = Mutex(State())
    private let isTerminal = StandardStreams.isErrorTerminal

    /// Shows what the work says.
    @Sendable func show(_ progress: ImageLibrary.Progress) {
        state.withLock { state in
            switch progress {
            case .step(let number, let count, let title):
                closeLine(&state)
                state.step = "[\(number)/\(count)] \(title)"
                state.shownPercent = -1
                openLine(state.step, &state)
            case .bytes(let done, let total): showBytes(done, total, &state)
            case .notice(let text):
                closeLine(&state)
                Message.note(text)
            case .finished: closeLine(&state)
            }
        }
    }

    /// Ends the line that is open, if one is.
    func finish() { state.withLock { closeLine(&$0) } }

    private func showBytes(_ done: Int64, _ total: Int64?, _ state: inout State) {
        guard isTerminal else { return }
        let percent = total.flatMap { $0 > 0 ? Int(min(100, done * 100 / $0)) : nil }
        // A percent is as fine as a person reads; without a total, a mebibyte.
        let mark = percent ?? Int(done >> 20)
        guard mark != state.shownPercent else { return }
        state.shownPercent = mark
        openLine("\(state.step)  \(percent.map { "\($0)%" } ?? "\(done >> 20) MiB")", &state)
    }

    private func openLine(_ text: String, _ state: inout State) {
        if isTerminal {
            // ECMA-48: carriage return, then erase to the end of the line.
            Message.write("\r\u{1B}[K\(text)")
            state.isLineOpen = true
        } else {
            Message.write("\(text)\n")
        }
    }

    private func closeLine(_ state: inout State) {
        if state.isLineOpen { Message.write("\n") }
        state.isLineOpen = false
    }
}
