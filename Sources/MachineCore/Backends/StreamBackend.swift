// SPDX-License-Identifier: Apache-2.0

/// The host side of a serial port or of a console port: bytes each way.
///
/// Bytes for the guest come through a delivery that the board sets and which answers how many were taken; the backend
/// keeps the rest (bounded: it stops reading its descriptor) until `resume()`.
public protocol StreamBackend: AnyObject, Sendable {
    /// Sends bytes to the outside. Never blocks: a slow reader's bytes are kept in a bounded buffer. Answers how many
    /// were taken; a device that can wait keeps the rest until it is told of room, one that cannot drops and counts.
    func send(_ bytes: [UInt8]) -> Int
    /// The device takes bytes again.
    func resume()
}

/// Where an entropy device takes its bytes from.
public protocol EntropySource: AnyObject, Sendable {
    /// `count` bytes fit for keys; fewer where the host has no more now.
    func bytes(_ count: Int) -> [UInt8]
}
