// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Values as JSON for programs: keys sorted, so that two runs compare.
public enum JSONText {
    /// `value` over several lines, the last one ended.
    public static func encode(_ value: some Encodable) -> String { encode(value, [.prettyPrinted, .sortedKeys]) }

    /// `value` in one line, ended.
    public static func line(_ value: some Encodable) -> String { encode(value, [.sortedKeys]) }

    private static func encode(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union(.withoutEscapingSlashes)
        // What is encoded here is made of strings, integers and finite numbers, which always encode.
        guard let data = try? encoder.encode(value) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
