// SPDX-License-Identifier: Apache-2.0

/// The host side of a network device: whole Ethernet frames, without checksum, each way.
///
/// Frames for the guest come through a delivery that the board sets; it answers whether the device had room, and the
/// backend holds back (bounded) until `resume()`.
public protocol NetworkBackend: AnyObject, Sendable {
    /// Sends a frame (14 to 65,550 bytes) to the outside. Never blocks; what does not fit is dropped and counted.
    func send(_ frame: [UInt8])
    /// The backend keeps frames that it may not send yet: the device is to take no more from its driver until it is
    /// told of room. Answered without a lock.
    var isHolding: Bool { get }
    /// The device has room for frames again.
    func resume()
}

extension NetworkBackend {
    /// A backend that keeps nothing.
    public var isHolding: Bool { false }
}
