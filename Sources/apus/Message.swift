// SPDX-License-Identifier: Apache-2.0

import ApusKit

/// What the command line says to people: on stderr, for stdout belongs to the guest or to a program that reads it.
enum Message {
    /// Text as it is.
    static func write(_ text: String) { StandardStreams.writeError(text) }

    /// One sentence that says why Apus failed.
    static func failure(_ sentence: String) { write("apus: \(sentence)\n") }

    /// One sentence that is no failure.
    static func note(_ sentence: String) { write("apus: \(sentence)\n") }

    /// Text for stdout.
    static func print(_ text: String) { StandardStreams.writeOutput(text) }
}
