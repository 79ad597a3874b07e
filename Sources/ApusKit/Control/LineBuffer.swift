// SPDX-License-Identifier: Apache-2.0

/// Bytes that come in pieces, cut into lines of bounded length.
struct LineBuffer: Sendable {
    /// What was found in the bytes so far.
    enum Line: Equatable {
        case line([UInt8])
        /// A line is longer than it may be: there is no telling where the next one begins.
        case tooLong
    }

    private let limit: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to here there is no line's end.
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    /// Puts `new` behind what is there.
    mutating func append(_ new: some Collection<UInt8>) { bytes += new }

    /// The next line without its end, or nil where there is none yet.
    mutating func next() -> Line? {
        guard let end = bytes[searched...].firstIndex(of: 0x0A) else {
            searched = bytes.count
            if bytes.count - start > limit { return .tooLong }
            compact()
            return nil
        }
        let line = bytes[start..<end]
        guard line.count <= limit else { return .tooLong }
        start = end + 1
        searched = start
        return .line(Array(line.last == 0x0D ? line.dropLast() : line))
    }

    /// Bytes that no line was made of yet.
    var held: Int { bytes.count - start }

    /// All that is behind the last line that was taken.
    mutating func takeRest() -> [UInt8] {
        defer { (bytes, start, searched) = ([], 0, 0) }
        return Array(bytes[start...])
    }

    private mutating func compact() {
        guard start > 0 else { return }
        bytes.removeFirst(start)
        searched -= start
        start = 0
    }
}
