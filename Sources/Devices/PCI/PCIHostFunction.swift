// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The host bridge as a function of its own bus, at device 0: systems look for one there (PCI 3.0 §6.2.1).
public final class PCIHostFunction: PCIFunction {
    public let configuration: PCIConfiguration

    /// The identity of the generic bridge that the `virt` machine's systems know: class 06.00, host bridge.
    public init() {
        configuration = PCIConfiguration(
            identity: PCIIdentity(
                vendor: 0x1B36, device: 0x0008, classCode: 0x06_00_00, subsystemVendor: 0x1AF4, subsystem: 0x1100))
    }

    /// It has no base addresses.
    public func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }

    /// It has no base addresses.
    public func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {}

    public func reset() { configuration.reset() }
}
