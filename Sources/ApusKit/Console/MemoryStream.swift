// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// A console that nobody looks at unless something goes wrong: the last of what the guest wrote.
final class MemoryStream: StreamBackend {
    /// How much is kept.
    static let limit = 64 << 10

    private let kept = Mutex<[UInt8]>([])
    /// Who else hears the bytes.
    private let copy: (@Sendable ([UInt8]) -> Void)?

    init(copy: (@Sendable ([UInt8]) -> Void)? = nil) { self.copy = copy }

    func send(_ bytes: [UInt8]) -> Int {
        kept.withLock { kept in
            kept += bytes
            // Cut in halves, so that not every byte moves all the others.
            if kept.count > 2 * MemoryStream.limit { kept.removeFirst(kept.count - MemoryStream.limit) }
        }
        copy?(bytes)
        return bytes.count
    }

    func resume() {}

    /// The last `count` lines, without what would steer a terminal.
    func lastLines(_ count: Int) -> [String] {
        let text = kept.withLock { Array($0.suffix(MemoryStream.limit)) }
        let lines = text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        return lines.suffix(count).map { line in
            String(
                decoding: line.prefix(400).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        }
    }
}
