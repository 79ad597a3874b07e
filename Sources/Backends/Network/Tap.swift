// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Host
public import MachineCore
import Synchronization
import SystemPackage

/// A network card on a tap interface of the host's: the host's kernel switches or routes its frames.
public final class Tap: NetworkBackend {
    private let device: TapDevice
    private let pump: FramePump
    private let counts = Mutex<(sent: UInt64, dropped: UInt64)>((0, 0))

    /// The interface's name.
    public var name: String { device.name }

    /// Opens the tap interface `name`, or makes one that goes with this object. It takes the right to administer the
    /// network, or an interface that was made for this user.
    public init(_ name: String, loop: EventLoop) throws(HostError) {
        device = try TapDevice(name)
        let descriptor = device.descriptor
        let buffer = Mutex([UInt8](repeating: 0, count: PacketChannel.largestFrame))
        pump = FramePump(
            descriptor, loop: loop,
            next: {
                buffer.withLock { buffer in
                    switch descriptor.receive(into: &buffer) {
                    case .bytes(let count) where count > 0: .frame(Array(buffer[..<count]))
                    case .wouldBlock: .nothing
                    // An interface that is down answers EIO until it is up.
                    case .bytes, .failed: .nothing
                    }
                }
            }, ended: {})
    }

    public func send(_ frame: [UInt8]) {
        let isSent = if case .bytes = device.descriptor.transmit(frame[...]) { true } else { false }
        counts.withLock { if isSent { $0.sent += 1 } else { $0.dropped += 1 } }
    }

    public func resume() { pump.resume() }

    /// Sets who takes frames for the guest; false where the card has no room now. Once.
    public func connect(_ delivery: @escaping @Sendable ([UInt8]) -> Bool) throws(HostError) {
        try pump.connect(delivery)
    }

    /// Frames so far.
    public var statistics: UserNetwork.Statistics {
        let (sent, dropped) = counts.withLock { $0 }
        return UserNetwork.Statistics(sent: sent, dropped: dropped, received: pump.received)
    }

    /// Takes no more frames.
    public func close() { pump.close() }
}
