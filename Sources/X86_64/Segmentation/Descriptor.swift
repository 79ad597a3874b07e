// SPDX-License-Identifier: Apache-2.0

/// A segment, system or gate descriptor as its 8 bytes are laid out (Intel SDM Vol 3A §3.4.5, §3.5, §7.11).
struct Descriptor: Equatable, Sendable {
    var bits: UInt64

    init(_ bits: UInt64) { self.bits = bits }

    /// Type, S, DPL and P.
    var access: AccessRights { AccessRights(rawValue: UInt32(truncatingIfNeeded: bits >> 40 & 0xff)) }
    /// Those with AVL, L, D/B and G, as a segment register keeps them.
    var rights: AccessRights { AccessRights(rawValue: UInt32(truncatingIfNeeded: bits >> 40 & 0xf0ff)) }
    var type: UInt32 { UInt32(truncatingIfNeeded: bits >> 40 & 15) }
    var privilege: UInt64 { bits >> 45 & 3 }
    var isPresent: Bool { bits >> 47 & 1 != 0 }
    /// Code or data, not a system descriptor.
    var isCodeOrData: Bool { bits >> 44 & 1 != 0 }
    var isCode: Bool { isCodeOrData && bits >> 43 & 1 != 0 }
    /// A data segment, not code.
    var isData: Bool { isCodeOrData && bits >> 43 & 1 == 0 }
    /// Of code.
    var isConforming: Bool { bits >> 42 & 1 != 0 }
    /// Of data: writable. Of code: readable.
    var isWritable: Bool { bits >> 41 & 1 != 0 }
    /// L: 64-bit code.
    var isLong: Bool { bits >> 53 & 1 != 0 }
    /// D/B.
    var isBig: Bool { bits >> 54 & 1 != 0 }

    /// The base's low 32 bits: all of it but in a system descriptor of 16 bytes.
    var base: UInt64 { bits >> 16 & 0xff_ffff | (bits >> 56) << 24 }

    /// The last valid offset, granularity applied.
    var limit: UInt32 {
        let raw = UInt32(truncatingIfNeeded: bits & 0xffff | bits >> 32 & 0xf_0000)
        return bits >> 55 & 1 != 0 ? raw << 12 | 0xfff : raw
    }

    /// The segment register that the descriptor fills.
    func segment(selector: UInt16) -> SegmentRegister {
        SegmentRegister(base: base, limit: limit, rights: rights, selector: selector)
    }

    // Gates.

    /// The target's selector.
    var gateSelector: UInt16 { UInt16(truncatingIfNeeded: bits >> 16) }
    /// The target's offset: 32 bits of it, of a 16-bit gate 16.
    var gateOffset: UInt64 { bits & 0xffff | bits >> 32 & 0xffff_0000 }
    /// How many parameters a call gate copies.
    var gateParameters: Int { Int(bits >> 32 & 31) }
    /// Which stack an interrupt gate of 64-bit mode takes from the TSS; 0: none.
    var gateStackTable: UInt64 { bits >> 32 & 7 }

    /// The types of system descriptors (Intel SDM Vol 3A table 3-2).
    enum SystemType {
        static var availableTSS16: UInt32 { 1 }
        static var ldt: UInt32 { 2 }
        static var busyTSS16: UInt32 { 3 }
        static var callGate16: UInt32 { 4 }
        static var taskGate: UInt32 { 5 }
        static var interruptGate16: UInt32 { 6 }
        static var trapGate16: UInt32 { 7 }
        static var availableTSS: UInt32 { 9 }
        static var busyTSS: UInt32 { 11 }
        static var callGate: UInt32 { 12 }
        static var interruptGate: UInt32 { 14 }
        static var trapGate: UInt32 { 15 }
    }
}

extension AccessRights {
    /// Of code: runs at its caller's privilege.
    var isConforming: Bool { contains(.expandsDown) }
}

/// A selector's parts (Intel SDM Vol 3A §3.4.2).
extension UInt16 {
    /// The requested privilege level.
    var requestedPrivilege: UInt64 { UInt64(self & 3) }
    /// It names nothing: index 0 of the GDT, whatever the privilege.
    var isNullSelector: Bool { self & 0xfffc == 0 }
    /// The error code that names it: without its privilege.
    var selectorCode: UInt32 { UInt32(self & 0xfffc) }
}
