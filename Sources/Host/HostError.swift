// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// The host did not give what was asked of it: one sentence with the value, the system's reason and the remedy.
public struct HostError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The system's reason, where a system call failed.
    public let errno: Errno?
    /// The sentence, starting lower-case, without a full stop.
    public let description: String

    /// `what` could not be done, for the reason that `errno` says; `remedy` is what the user can do about it.
    public init(_ what: String, _ errno: Errno? = nil, remedy: String? = nil) {
        self.errno = errno
        var text = what
        if let errno { text += ": \(Self.reason(errno))" }
        if let remedy { text += "; \(remedy)" }
        self.description = text
    }

    /// The system's words for `errno`, lower-case like the sentence they end.
    private static func reason(_ errno: Errno) -> String {
        let text = errno.description
        guard let first = text.first, text.dropFirst().first?.isLowercase == true else { return text }
        return first.lowercased() + text.dropFirst()
    }
}

extension Errno {
    /// What the last failed C call on this thread left.
    static var current: Errno { Errno(rawValue: Glibc.errno) }
}

/// Calls `body` until it is not interrupted by a signal: its result, or the errno where it answers -1.
func retryingInterrupts<I: FixedWidthInteger & SignedInteger>(_ body: () -> I) -> Result<I, Errno> {
    while true {
        let result = body()
        if result != -1 { return .success(result) }
        let error = Errno.current
        if error != .interrupted { return .failure(error) }
    }
}
