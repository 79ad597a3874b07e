// SPDX-License-Identifier: Apache-2.0

/// What a long operation on an image says while it works.
public enum ImageProgress: Equatable, Sendable {
    /// Step `number` of `count` begins.
    case step(number: Int, count: Int, title: String)
    /// Bytes (or files, while an archive is written) done of the current step, and how many there are where that is
    /// known.
    case bytes(done: Int64, total: Int64?)
    /// Another process works on the same image; this one goes on when it has finished.
    case waiting(name: String)
    /// Something the user should know that does not stop the work: a file that was skipped, say.
    case notice(String)
    /// The work is done.
    case finished
}

/// Hears the progress of an operation; called from the task that does the work, in order.
public typealias ImageProgressSink = @Sendable (ImageProgress) -> Void
