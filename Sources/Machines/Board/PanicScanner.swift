// SPDX-License-Identifier: Apache-2.0

/// Finds the line by which Linux says on its console that it has crashed, in output that comes in pieces.
///
/// A guest without a driver for a panic device has no other way to say so. What it finds is only ever a report of the
/// guest's, as anything a guest prints: a program that prints the line is believed, and harms its own machine alone.
struct PanicScanner {
    /// What was found.
    enum Finding: Equatable {
        /// The line, from its first word, at most `longest` bytes.
        case panic(String)
        /// The last line of the report: nothing more will come.
        case end
    }

    private static let start = Array("Kernel panic - not syncing".utf8)
    private static let end = Array("---[ end Kernel panic - not syncing".utf8)
    private static let longest = 240

    /// The line so far; a longer one is cut.
    private var line: [UInt8] = []

    /// Looks at `bytes`; what was found in the lines that end in them.
    mutating func scan(_ bytes: [UInt8]) -> [Finding] {
        var findings: [Finding] = []
        for byte in bytes {
            if byte == 0x0A || byte == 0x0D {
                if let finding = judge() { findings.append(finding) }
                line.removeAll(keepingCapacity: true)
            } else if line.count < Self.longest {
                line.append(byte)
            }
        }
        return findings
    }

    private func judge() -> Finding? {
        guard line.count >= Self.start.count else { return nil }
        if Self.find(Self.end, in: line) != nil { return .end }
        guard let offset = Self.find(Self.start, in: line) else { return nil }
        return .panic(String(decoding: line[offset...], as: UTF8.self))
    }

    private static func find(_ wanted: [UInt8], in line: [UInt8]) -> Int? {
        guard line.count >= wanted.count else { return nil }
        for offset in 0...(line.count - wanted.count) where line[offset] == wanted[0] {
            if line[offset..<(offset + wanted.count)].elementsEqual(wanted) { return offset }
        }
        return nil
    }
}
