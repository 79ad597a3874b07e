// SPDX-License-Identifier: Apache-2.0

/// The type-0 header, byte offsets (PCI 3.0 §6.1). Who writes it stands at the end: h hardware, g guest.
public enum PCIRegister {
    public static var vendorID: Int { 0x00 }  // 16 bits, h
    public static var deviceID: Int { 0x02 }  // 16 bits, h
    public static var command: Int { 0x04 }  // 16 bits, g: `PCICommand`
    public static var status: Int { 0x06 }  // 16 bits, h: `PCIStatus`; errors are cleared by writing ones
    public static var revisionID: Int { 0x08 }  // 8 bits, h
    public static var classCode: Int { 0x09 }  // 24 bits, h: programming interface, sub-class, class
    public static var cacheLineSize: Int { 0x0C }  // 8 bits, g: no effect
    public static var latencyTimer: Int { 0x0D }  // 8 bits, h: zero, as PCI Express has it
    public static var headerType: Int { 0x0E }  // 8 bits, h: 0; bit 7: the device has more functions
    public static var bar0: Int { 0x10 }  // six times 32 bits, g: base addresses
    public static var subsystemVendorID: Int { 0x2C }  // 16 bits, h
    public static var subsystemID: Int { 0x2E }  // 16 bits, h
    public static var expansionROM: Int { 0x30 }  // 32 bits, h: zero, no function here has one
    public static var capabilities: Int { 0x34 }  // 8 bits, h: the offset of the first capability
    public static var interruptLine: Int { 0x3C }  // 8 bits, g: a note from firmware to drivers, no effect
    public static var interruptPin: Int { 0x3D }  // 8 bits, h: `PCIInterruptPin`
    /// The end of the header: capabilities go from here on.
    public static var headerEnd: Int { 0x40 }
}

/// The bits of the command register (PCI 3.0 §6.2.2).
public struct PCICommand: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// The function answers in I/O space.
    public static var ioSpace: PCICommand { PCICommand(rawValue: 1 << 0) }
    /// The function answers in memory space.
    public static var memorySpace: PCICommand { PCICommand(rawValue: 1 << 1) }
    /// The function may read and write memory, messages of interrupts included.
    public static var busMaster: PCICommand { PCICommand(rawValue: 1 << 2) }
    /// Kept, without effect: there are no parity errors here.
    public static var parityErrorResponse: PCICommand { PCICommand(rawValue: 1 << 6) }
    /// Kept, without effect: there is no SERR# here.
    public static var systemError: PCICommand { PCICommand(rawValue: 1 << 8) }
    /// INTx is not asserted, whatever the function wants.
    public static var interruptDisable: PCICommand { PCICommand(rawValue: 1 << 10) }
}

/// The bits of the status register (PCI 3.0 §6.2.3) that are ever set here.
public enum PCIStatus {
    /// The function wants INTx asserted, be it disabled or not.
    public static var interrupt: UInt16 { 1 << 3 }
    /// There is a list of capabilities.
    public static var capabilitiesList: UInt16 { 1 << 4 }
}

/// The identifiers of capabilities that this project uses (PCI Code and ID Assignment 1.11 §2).
public enum PCICapability {
    public static var vendorSpecific: UInt8 { 0x09 }
    public static var msix: UInt8 { 0x11 }
}
