// SPDX-License-Identifier: Apache-2.0

/// Who a function says it is (PCI 3.0 §6.2.1, §6.2.4).
public struct PCIIdentity: Equatable, Sendable {
    public var vendor: UInt16
    public var device: UInt16
    public var revision: UInt8
    /// 24 bits: class in 23:16, sub-class in 15:8, programming interface in 7:0.
    public var classCode: UInt32
    public var subsystemVendor: UInt16
    public var subsystem: UInt16

    /// An identity of these numbers.
    public init(
        vendor: UInt16, device: UInt16, revision: UInt8 = 0, classCode: UInt32, subsystemVendor: UInt16 = 0,
        subsystem: UInt16 = 0
    ) {
        self.vendor = vendor
        self.device = device
        self.revision = revision
        self.classCode = classCode
        self.subsystemVendor = subsystemVendor
        self.subsystem = subsystem
    }
}

/// The configuration space of one function: header, base addresses, list of capabilities. It knows neither its place
/// on the bus nor how an access came here (ECAM, ports 0xCF8 and 0xCFC).
///
/// Built once with `addBaseAddress` and `addCapability`, before the machine's first instruction; afterwards the guest
/// changes only what is writable. Its owner is a `PCIFunction`, whose adaptor's lock guards it.
public final class PCIConfiguration {
    /// What the guest changes: saved and restored field by field.
    public struct State: Equatable, Sendable {
        /// The 256 bytes.
        public internal(set) var bytes: [UInt8]
        /// See `PCIDecoding.generation`.
        public internal(set) var generation: UInt64 = 0
    }

    /// The bytes of configuration space that hold something. Of a function's 4 KiB the rest reads as zero, which says
    /// that there is no extended capability (PCI Express 5.0 §7.6.1).
    public static var size: Int { 256 }

    /// What the guest has changed.
    public internal(set) var state: State
    /// The bits of each byte that the guest writes.
    var writable: [UInt8]
    /// The bytes after reset.
    var initial: [UInt8]
    /// By register number; the second register of a 64-bit one is nil.
    private var baseAddresses: [PCIBaseAddress?]
    private var lastCapability: Int?
    private var nextCapability = PCIRegister.headerEnd
    /// Something was written since `takeDecodingChange` was last asked.
    var mayHaveMoved = false
    /// What `takeDecodingChange` last answered.
    var lastDecoding: PCIDecoding

    /// A space without base addresses and capabilities.
    public init(identity: PCIIdentity, interruptPin: PCIInterruptPin = .none, hasMoreFunctions: Bool = false) {
        let blank = [UInt8](repeating: 0, count: Self.size)
        state = State(bytes: blank)
        writable = blank
        initial = blank
        baseAddresses = Array(repeating: nil, count: 6)
        lastDecoding = PCIDecoding(generation: 0, ranges: [])
        set(UInt32(identity.vendor), at: PCIRegister.vendorID, bytes: 2)
        set(UInt32(identity.device), at: PCIRegister.deviceID, bytes: 2)
        set(UInt32(identity.revision), at: PCIRegister.revisionID, bytes: 1)
        set(identity.classCode, at: PCIRegister.classCode, bytes: 3)
        set(UInt32(identity.subsystemVendor), at: PCIRegister.subsystemVendorID, bytes: 2)
        set(UInt32(identity.subsystem), at: PCIRegister.subsystemID, bytes: 2)
        set(UInt32(interruptPin.rawValue), at: PCIRegister.interruptPin, bytes: 1)
        set(hasMoreFunctions ? 0x80 : 0, at: PCIRegister.headerType, bytes: 1)
        // PCI 3.0 §6.2.2: the bits of spaces in which the function does not answer are read-only zero;
        // `addBaseAddress` opens them.
        let kept: PCICommand = [.busMaster, .parityErrorResponse, .systemError, .interruptDisable]
        allow(UInt32(kept.rawValue), at: PCIRegister.command, bytes: 2)
        allow(0xFF, at: PCIRegister.cacheLineSize, bytes: 1)
        allow(0xFF, at: PCIRegister.interruptLine, bytes: 1)
    }
}

// MARK: Building

extension PCIConfiguration {
    /// Makes register `bar` (0...5) a base address; it and, of a 64-bit one, the next must be free.
    public func addBaseAddress(_ bar: Int, _ kind: PCIBaseAddress) {
        precondition(bar >= 0 && bar < (kind.is64Bit ? 5 : 6), "there are six base address registers")
        precondition(kind.size.nonzeroBitCount == 1, "the size of a base address is a power of two")
        precondition(kind.allowedSizes.contains(kind.size), "the size of a base address suits its kind")
        precondition(isFree(bar) && (!kind.is64Bit || isFree(bar + 1)), "each base address register is used once")
        baseAddresses[bar] = kind
        let offset = PCIRegister.bar0 + 4 * bar
        set(UInt32(kind.typeBits), at: offset, bytes: 4)
        // PCI 3.0 §6.2.5.1: the address bits below the size are read-only zero; that is how a driver learns the size.
        let mask = ~(kind.size - 1)
        allow(UInt32(truncatingIfNeeded: mask), at: offset, bytes: 4)
        if kind.is64Bit { allow(UInt32(truncatingIfNeeded: mask >> 32), at: offset + 4, bytes: 4) }
        let space: PCICommand = kind.space == .io ? .ioSpace : .memorySpace
        allow(UInt32(space.rawValue), at: PCIRegister.command, bytes: 2)
    }

    /// Appends a capability and answers its offset (PCI 3.0 §6.7). `body` follows the two bytes of the header;
    /// `guestWrites` says which of its bits the guest writes and may be shorter.
    @discardableResult
    public func addCapability(_ identifier: UInt8, body: [UInt8], guestWrites: [UInt8] = []) -> Int {
        let offset = nextCapability
        precondition(guestWrites.count <= body.count, "a capability's writable bits lie within it")
        precondition(offset + 2 + body.count <= Self.size, "the capabilities fit into configuration space")
        set(UInt32(identifier), at: offset, bytes: 1)
        for (index, byte) in body.enumerated() { set(UInt32(byte), at: offset + 2 + index, bytes: 1) }
        for (index, bits) in guestWrites.enumerated() { allow(UInt32(bits), at: offset + 2 + index, bytes: 1) }
        // The pointer to it: the previous one's second byte, or the header's.
        set(UInt32(offset), at: lastCapability.map { $0 + 1 } ?? PCIRegister.capabilities, bytes: 1)
        set(UInt32(PCIStatus.capabilitiesList), at: PCIRegister.status, bytes: 2)
        lastCapability = offset
        nextCapability = (offset + 2 + body.count + 3) & ~3  // §6.7: aligned to 4
        return offset
    }

    /// The base address at register `bar`, if there is one.
    public func baseAddress(_ bar: Int) -> PCIBaseAddress? {
        baseAddresses.indices.contains(bar) ? baseAddresses[bar] : nil
    }

    private func isFree(_ bar: Int) -> Bool {
        baseAddresses[bar] == nil && !(bar > 0 && baseAddresses[bar - 1]?.is64Bit == true)
    }

    private func set(_ value: UInt32, at offset: Int, bytes: Int) {
        for index in 0..<bytes {
            initial[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
            state.bytes[offset + index] = initial[offset + index]
        }
    }

    private func allow(_ bits: UInt32, at offset: Int, bytes: Int) {
        for index in 0..<bytes { writable[offset + index] |= UInt8(truncatingIfNeeded: bits >> (8 * index)) }
    }
}
