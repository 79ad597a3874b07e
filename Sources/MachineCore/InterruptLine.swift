// SPDX-License-Identifier: Apache-2.0

/// What an interrupt line ends at: an interrupt controller's input, a vCPU's pin.
///
/// Called from any thread, with no device's lock held. Setting a level that is set already changes nothing.
public protocol InterruptSink: AnyObject, Sendable {
    /// The level of input `number` is now `level`.
    func setLine(_ number: Int, level: Bool)
}

/// A wire from a device's output to a sink's input.
public struct InterruptLine: Sendable {
    private let sink: any InterruptSink
    /// The sink's own number for the input.
    public let number: Int

    /// A wire to input `number` of `sink`.
    public init(to sink: any InterruptSink, number: Int) {
        self.sink = sink
        self.number = number
    }

    /// Drives the wire.
    public func set(_ level: Bool) { sink.setLine(number, level: level) }
}

/// Where message-signalled interrupts go: on a PC the LAPICs, later a RISC-V IMSIC. A platform without one passes nil.
public protocol MessageSink: AnyObject, Sendable {
    /// Delivers `data` written to guest-physical `address` by a device.
    func deliver(address: UInt64, data: UInt32)
}
