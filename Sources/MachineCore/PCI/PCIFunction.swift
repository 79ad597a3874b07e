// SPDX-License-Identifier: Apache-2.0

/// A PCI function: a chip behind a host bridge, pure like every `Device`.
///
/// Its adaptor on the board owns one lock a function. An access goes so:
/// 1. The host bridge says which function an address belongs to: for configuration space by arithmetic on the address
///    alone, for memory and ports by the ranges it was told of, under a short lock of its own that is free again
///    before the next step.
/// 2. The adaptor takes the function's lock, calls one method below, reads `interruptLevel`, `deadline`,
///    `configuration.takeDecodingChange()` and `takeWork()`, and lets go of the lock.
/// 3. It drives the line (several functions share one: wired-or), tells the host bridge of the new decoding, arms the
///    timer, performs the work.
/// An access that was on its way when another vCPU moved the base address still reaches the function, as it may on
/// hardware.
public protocol PCIFunction: AnyObject {
    /// Its configuration space.
    var configuration: PCIConfiguration { get }
    /// Reads configuration space; the default suffices unless a capability of the function does something when read.
    func readConfiguration(at offset: Int, width: AccessWidth) -> UInt64
    /// Writes configuration space; the default suffices unless a capability does something when written.
    func writeConfiguration(_ value: UInt64, at offset: Int, width: AccessWidth)
    /// Reads `offset` bytes into base address `bar`; the access lies within its size.
    func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64
    /// Writes `offset` bytes into base address `bar`; the access lies within its size.
    func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth)
    /// Whether the function has a cause to assert INTx now. It does not ask whether INTx is disabled; with MSI-X
    /// enabled it has none (PCI 3.0 §6.8.3.3).
    var wantsInterrupt: Bool { get }
    /// See `Device.deadline`.
    var deadline: UInt64? { get }
    /// See `Device.takeWork()`. Messages of MSI-X leave here.
    func takeWork() -> DeviceWork?
    /// Back to the state after power-on, configuration space included.
    func reset()
}

extension PCIFunction {
    /// The level of its interrupt pin (PCI 3.0 §6.2.2, bit 10 of the command register).
    public var interruptLevel: Bool {
        wantsInterrupt && configuration.interruptPin != .none && !configuration.command.contains(.interruptDisable)
    }

    /// Reads the space, with the interrupt bit of the status register as it is now.
    public func plainConfigurationRead(at offset: Int, width: AccessWidth) -> UInt64 {
        let value = configuration.read(at: offset, width: width)
        let distance = PCIRegister.status - offset
        guard wantsInterrupt, distance >= 0, distance < Int(width.rawValue) else { return value }
        return value | UInt64(PCIStatus.interrupt) << UInt64(8 * distance)
    }

    public func readConfiguration(at offset: Int, width: AccessWidth) -> UInt64 {
        plainConfigurationRead(at: offset, width: width)
    }

    public func writeConfiguration(_ value: UInt64, at offset: Int, width: AccessWidth) {
        configuration.write(value, at: offset, width: width)
    }

    public var wantsInterrupt: Bool { false }
    public var deadline: UInt64? { nil }
    public func takeWork() -> DeviceWork? { nil }
}
