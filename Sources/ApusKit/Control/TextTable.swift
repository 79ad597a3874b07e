// SPDX-License-Identifier: Apache-2.0

/// Cells in columns for a terminal: as wide as the widest cell, two blanks between.
public struct TextTable: Sendable {
    private let rows: [[String]]

    public init(_ rows: [[String]], header: [String]? = nil) {
        self.rows = (header.map { [$0] } ?? []) + rows
    }

    /// Lines, each ended, without trailing blanks.
    public var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            // An empty last cell would leave the blanks before it at the line's end.
            let cells = row[..<(row.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0)]
            var line = ""
            for (column, cell) in cells.enumerated() {
                line += cell
                if column < cells.count - 1 {
                    line += String(repeating: " ", count: widths[column] - cell.count + 2)
                }
            }
            return line + "\n"
        }.joined()
    }

    /// 16 digits.
    static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Digits in groups of three.
    static func grouped(_ value: UInt64) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0 && index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// Seconds with milliseconds.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let milliseconds = String(nanoseconds / 1_000_000 % 1000 + 1000).dropFirst()
        return "\(nanoseconds / 1_000_000_000).\(milliseconds) s"
    }
}
