// SPDX-License-Identifier: Apache-2.0

/// An address space of the PCI bus.
public enum PCISpace: UInt8, Sendable, CaseIterable { case memory, io }

/// What a base address register decodes (PCI 3.0 §6.2.5.1). Sizes are in bytes and powers of two.
public enum PCIBaseAddress: Equatable, Sendable {
    /// Memory below 4 GiB, at least 16 bytes.
    case memory32(size: UInt64, prefetchable: Bool = false)
    /// Memory anywhere, at least 16 bytes; takes two registers.
    case memory64(size: UInt64, prefetchable: Bool = false)
    /// Ports, 4 to 256 bytes.
    case io(size: UInt64)

    /// In bytes.
    public var size: UInt64 {
        switch self {
        case .memory32(let size, _), .memory64(let size, _), .io(let size): size
        }
    }

    /// Where it decodes.
    public var space: PCISpace {
        if case .io = self { .io } else { .memory }
    }

    /// Whether it takes two registers.
    public var is64Bit: Bool {
        if case .memory64 = self { true } else { false }
    }

    /// The low bits of the register, which say what it is and never change.
    var typeBits: UInt8 {
        switch self {
        case .memory32(_, let prefetchable): prefetchable ? 0b1000 : 0b0000
        case .memory64(_, let prefetchable): prefetchable ? 0b1100 : 0b0100
        case .io: 0b01
        }
    }

    /// The sizes that the register can express.
    var allowedSizes: ClosedRange<UInt64> {
        switch self {
        case .memory32: 16...1 << 31
        case .memory64: 16...1 << 48
        case .io: 4...256
        }
    }
}

/// Where a function answers now: what its base addresses and its command register make of it.
///
/// The function's lock is free again when the host bridge learns of a change, so that two changes may arrive in the
/// other order: `generation` tells which is newer.
public struct PCIDecoding: Equatable, Sendable {
    /// One base address that is enabled.
    public struct Range: Equatable, Sendable {
        /// The number of its (first) register, 0...5.
        public let bar: Int
        /// The space it lies in.
        public let space: PCISpace
        /// The first address.
        public let base: UInt64
        /// In bytes.
        public let size: UInt64

        /// A range of base address `bar`.
        public init(bar: Int, space: PCISpace, base: UInt64, size: UInt64) {
            self.bar = bar
            self.space = space
            self.base = base
            self.size = size
        }
    }

    /// Rises with each change.
    public let generation: UInt64
    /// By register number.
    public let ranges: [Range]

    /// The `ranges` of change number `generation`.
    public init(generation: UInt64, ranges: [Range]) {
        self.generation = generation
        self.ranges = ranges
    }
}
