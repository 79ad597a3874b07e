// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What a driver needs of a transport.
public protocol DriverRegisters: AnyObject {
    /// The type of the device.
    var deviceID: UInt32 { get }
    /// What the device offers.
    func readDeviceFeatures() -> UInt64
    /// What the driver accepts.
    func writeDriverFeatures(_ features: UInt64)
    var status: UInt8 { get set }
    /// The most descriptors that queue `queue` may have; zero where there is none.
    func maximumSize(ofQueue queue: Int) -> UInt16
    /// Tells the device where queue `queue` lies, without enabling it.
    func place(queue: Int, size: UInt16, descriptors: GuestAddress, driver: GuestAddress, device: GuestAddress)
    func enable(queue: Int)
    func isEnabled(queue: Int) -> Bool
    func notify(queue: Int)
    /// The causes of the interrupt, acknowledged.
    func takeInterruptStatus() -> UInt8
    var configGeneration: UInt32 { get }
    func readConfig(at offset: UInt64, width: AccessWidth) -> UInt64
    func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth)
    /// What the transport needs behind a reset.
    func prepare()
}

/// The registers of virtio-mmio as a driver sees them (virtio 1.2 §4.2.2), written down here a second time on purpose.
public final class MMIODriverRegisters: DriverRegisters {
    private let board: MockBoard

    /// The registers of `board`'s device, which is on MMIO.
    public init(_ board: MockBoard) { self.board = board }

    /// A 32-bit register.
    public subscript(offset: UInt64) -> UInt32 {
        get { UInt32(truncatingIfNeeded: read(offset, .word)) }
        set { write(UInt64(newValue), offset, .word) }
    }

    public func read(_ offset: UInt64, _ width: AccessWidth) -> UInt64 {
        board.perform { board.mmio?.read(at: offset, width: width) ?? 0 }
    }

    public func write(_ value: UInt64, _ offset: UInt64, _ width: AccessWidth) {
        board.perform { board.mmio?.write(value, at: offset, width: width) }
    }

    public var deviceID: UInt32 { self[0x08] }

    public func readDeviceFeatures() -> UInt64 {
        self[0x14] = 0
        let low = self[0x10]
        self[0x14] = 1
        return UInt64(self[0x10]) << 32 | UInt64(low)
    }

    public func writeDriverFeatures(_ features: UInt64) {
        self[0x24] = 0
        self[0x20] = UInt32(truncatingIfNeeded: features)
        self[0x24] = 1
        self[0x20] = UInt32(truncatingIfNeeded: features >> 32)
    }

    public var status: UInt8 {
        get { UInt8(truncatingIfNeeded: self[0x70]) }
        set { self[0x70] = UInt32(newValue) }
    }

    public func maximumSize(ofQueue queue: Int) -> UInt16 {
        self[0x30] = UInt32(queue)
        return UInt16(self[0x34])
    }

    public func place(queue: Int, size: UInt16, descriptors: GuestAddress, driver: GuestAddress, device: GuestAddress) {
        self[0x30] = UInt32(queue)
        self[0x38] = UInt32(size)
        for (offset, address) in [(UInt64(0x80), descriptors), (0x90, driver), (0xA0, device)] {
            self[offset] = UInt32(truncatingIfNeeded: address.value)
            self[offset + 4] = UInt32(truncatingIfNeeded: address.value >> 32)
        }
    }

    public func enable(queue: Int) {
        self[0x30] = UInt32(queue)
        self[0x44] = 1
    }

    /// Stops queue `queue`.
    public func disable(queue: Int) {
        self[0x30] = UInt32(queue)
        self[0x44] = 0
    }

    public func isEnabled(queue: Int) -> Bool {
        self[0x30] = UInt32(queue)
        return self[0x44] == 1
    }

    public func notify(queue: Int) { self[0x50] = UInt32(queue) }

    public func takeInterruptStatus() -> UInt8 {
        let status = self[0x60]
        self[0x64] = status
        return UInt8(truncatingIfNeeded: status)
    }

    public var configGeneration: UInt32 { self[0xFC] }
    public func readConfig(at offset: UInt64, width: AccessWidth) -> UInt64 { read(0x100 + offset, width) }
    public func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        write(value, 0x100 + offset, width)
    }
    public func prepare() {}
}
