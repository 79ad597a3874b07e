// SPDX-License-Identifier: Apache-2.0

/// The host side of a network device: whole Ethernet frames, without checksum, each way.
///
/// Frames for the guest come through a delivery that the board sets; it answers whether the device had room, and the
/// backend holds back (bounded) until `resume()`.
public protocol NetworkBackend: AnyObject, Sendable {
    /// Sends a frame (14 to 65,550 bytes) to the outside. Never blocks; what does not fit is dropped and counted.
    func send(_ frame: [UInt8])
    /// The device has room for frames again.
    func resume()
}
