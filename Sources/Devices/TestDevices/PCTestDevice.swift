// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What test suites for a PC expect of `pc-testdev`: ports that keep what is written, wires to pull, and memory behind
/// the bus. For machines under test alone; nothing of it is on an ordinary one.
///
/// Each part has a window of its own on the board. Who uses it: r the guest reads, w the guest writes.
///
///     ports 0xE0-0xE3, any width         rw  keeps the last value; a read at port 0xE0 + n begins at its byte n
///     ports 0xE4-0xE7                     w  a page's mapping is to be forgotten: nothing that a guest could see
///     ports 0x2000 + n, 24 of them        w  wire n is up unless the value is zero
///     memory 0xFF000000, 64 KiB          rw  keeps what is written, at any width
public enum PCTestDevice {
    /// The data ports, and the one that forgets mappings: eight ports from 0xE0.
    public final class Ports: Device {
        /// The last value.
        public private(set) var value: UInt32 = 0

        /// Ports that read as zero.
        public init() {}

        public var windowSize: UInt64 { 8 }

        public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
            offset < 4 ? UInt64(value) >> (8 * offset) & width.mask : 0
        }

        /// The value is as wide as the access, and begins at its byte `offset`.
        public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
            guard offset < 4 else { return }
            self.value = UInt32(truncatingIfNeeded: value << (8 * offset))
        }

        public func reset() { value = 0 }
    }

    /// The wires: 24 ports from 0x2000. Output n is the input n of the machine's interrupt controllers.
    public final class Wires: Device {
        /// How many there are.
        public static var count: UInt64 { 24 }
        private var levels: UInt64 = 0

        /// Wires that are all down.
        public init() {}

        public var windowSize: UInt64 { Self.count }
        public var interruptLevels: UInt64 { levels }

        public func read(at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }

        public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
            guard offset < Self.count else { return }
            levels = levels & ~(1 << offset) | (value != 0 ? 1 << offset : 0)
        }

        public func reset() { levels = 0 }
    }

    /// The memory behind the bus.
    public final class Memory: Device {
        private var bytes: [UInt8]

        /// Zeros.
        public init() { bytes = Array(repeating: 0, count: 0x1_0000) }

        public var windowSize: UInt64 { 0x1_0000 }

        public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
            (0..<width.bytes).reduce(0) { value, index in
                let place = offset &+ index
                return place < windowSize ? value | UInt64(bytes[Int(place)]) << (8 * index) : value
            }
        }

        public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
            for index in 0..<width.bytes {
                let place = offset &+ index
                if place < windowSize { bytes[Int(place)] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
            }
        }

        public func reset() { bytes = Array(repeating: 0, count: 0x1_0000) }
    }
}
