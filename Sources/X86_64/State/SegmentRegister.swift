// SPDX-License-Identifier: Apache-2.0

/// A segment register with its hidden part (Intel SDM Vol 3A §3.4.3); 24 bytes.
public struct SegmentRegister: Equatable, Sendable {
    /// The linear address that the segment begins at.
    public var base: UInt64
    /// The last valid offset in bytes, granularity applied.
    public var limit: UInt32
    /// Type, S, DPL, P, AVL, L, D/B, G and "unusable" where a VMCS has them (Intel SDM Vol 3C §26.4.1).
    public var rights: AccessRights
    /// The visible part.
    public var selector: UInt16

    /// A segment register with these parts.
    public init(base: UInt64 = 0, limit: UInt32 = 0, rights: AccessRights = .unusable, selector: UInt16 = 0) {
        self.base = base
        self.limit = limit
        self.rights = rights
        self.selector = selector
    }
}

/// A segment's attributes, in the places of a VMCS's access rights (Intel SDM Vol 3C §26.4.1, table 26-2).
public struct AccessRights: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bit 0 of the type: the segment was accessed.
    public static var accessed: AccessRights { AccessRights(rawValue: 1) }
    /// Bit 1: a data segment may be written, a code segment read.
    public static var writable: AccessRights { AccessRights(rawValue: 2) }
    /// Bit 2: a data segment expands down, a code segment is conforming.
    public static var expandsDown: AccessRights { AccessRights(rawValue: 4) }
    /// Bit 3: a code segment.
    public static var code: AccessRights { AccessRights(rawValue: 8) }
    /// S: code or data, not a system segment.
    public static var codeOrData: AccessRights { AccessRights(rawValue: 1 << 4) }
    /// P.
    public static var present: AccessRights { AccessRights(rawValue: 1 << 7) }
    /// AVL.
    public static var available: AccessRights { AccessRights(rawValue: 1 << 12) }
    /// L: 64-bit code.
    public static var long: AccessRights { AccessRights(rawValue: 1 << 13) }
    /// D/B: 32-bit defaults.
    public static var big: AccessRights { AccessRights(rawValue: 1 << 14) }
    /// G: the limit counts pages.
    public static var granular: AccessRights { AccessRights(rawValue: 1 << 15) }
    /// Nothing is loaded: a null selector.
    public static var unusable: AccessRights { AccessRights(rawValue: 1 << 16) }

    /// Bits 3:0.
    public var type: UInt32 { rawValue & 15 }
    /// The descriptor's privilege level.
    public var privilege: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 5 & 3) }

    /// Attributes from their parts.
    public init(type: UInt32, codeOrData: Bool = true, privilege: UInt8, present: Bool = true) {
        rawValue = type | (codeOrData ? 1 << 4 : 0) | UInt32(privilege & 3) << 5 | (present ? 1 << 7 : 0)
    }
}

/// The six segment registers, numbered as in instructions (Intel SDM Vol 2A §2.1.1).
public enum Segment: UInt8, CaseIterable, Sendable {
    case es, cs, ss, ds, fs, gs
}

/// GDTR or IDTR.
public struct TableRegister: Equatable, Sendable {
    /// The table's linear address.
    public var base: UInt64
    /// Its last valid byte.
    public var limit: UInt32
    public init(base: UInt64 = 0, limit: UInt32 = 0xffff) {
        self.base = base
        self.limit = limit
    }
}
