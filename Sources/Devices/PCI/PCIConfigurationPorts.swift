// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization

/// The two ports by which a PC reaches configuration space (PCI 3.0 §3.2.2.3.2), and the reset control register between
/// them (Intel ICH9 §13.7.5).
///
/// Offsets are distances from port 0xCF8. Who uses it: r the guest reads, w the guest writes.
///
///     +0  32 bits  rw  address: 31 enabled, 23:16 bus, 15:11 device, 10:8 function, 7:2 register
///     +1   8 bits  rw  reset control: a rise of bit 2 resets; 1 all of the machine, 3 with the power
///     +4  32 bits  rw  the register addressed, in words, halves and bytes
///
/// Like `PCIHost` it is no `Device`: it says which function is meant, so that the board can lock each by itself, and
/// has two atomic registers instead of a lock.
public final class PCIConfigurationPorts: Sendable {
    private let address = Atomic<UInt32>(0)
    private let control = Atomic<UInt8>(0)

    private static var addressBits: UInt32 { 0x80FF_FFFC }
    private static var controlBits: UInt8 { 0x0E }

    /// Ports that address nothing.
    public init() {}

    /// The size of the window in ports.
    public static var windowSize: UInt32 { 8 }

    /// The function and register that an access at `offset` reaches; nil: it is for `read` and `write`, or for nobody.
    public func target(at offset: UInt64, width: AccessWidth) -> PCIHost.ConfigurationTarget? {
        let address = address.load(ordering: .acquiring)
        guard offset >= 4, offset < 8, offset - 4 + width.bytes <= 4, address >> 31 != 0 else { return nil }
        let function = PCIAddress(value: UInt16(truncatingIfNeeded: address >> 8))
        return PCIHost.ConfigurationTarget(function: function, register: Int(address & 0xFC) + Int(offset - 4))
    }

    /// Reads what is no function's: the address, the reset control, or ones.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        if offset == 0, width == .word { return UInt64(address.load(ordering: .acquiring)) }
        if offset == 1, width == .byte { return UInt64(control.load(ordering: .acquiring)) }
        return PCIHost.unanswered & width.mask
    }

    /// Writes what is no function's; true: the machine is to be reset.
    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) -> Bool {
        if offset == 0, width == .word {
            address.store(UInt32(truncatingIfNeeded: value) & Self.addressBits, ordering: .releasing)
        }
        guard offset == 1, width == .byte else { return false }
        let new = UInt8(truncatingIfNeeded: value) & Self.controlBits
        let old = control.exchange(new, ordering: .acquiringAndReleasing)
        return new & 4 != 0 && old & 4 == 0
    }

    /// Back to ports that address nothing.
    public func reset() {
        address.store(0, ordering: .releasing)
        control.store(0, ordering: .releasing)
    }
}
