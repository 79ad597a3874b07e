// SPDX-License-Identifier: Apache-2.0

import RISCV64

/// What lies where in RAM before the first instruction, and how the harts start.
///
/// ```
/// RAM base              firmware, or a bare program where it is linked
/// base + text offset    kernel (2 MiB; where OpenSBI's fw_jump goes too)
///       ...
///                       initrd
///                       fw_dynamic's information, one page
/// min(RAM end, 4 GiB)   devicetree, with room for a firmware to add to it
/// ```
struct BootPlan: Sendable {
    /// Bytes to put at an address. What a piece has beyond its bytes is zero, as all of RAM is before.
    struct Piece: Sendable {
        let name: String
        let address: UInt64
        let content: BootContent
        let size: UInt64
    }

    /// A range of guest-physical addresses.
    struct Span: Equatable, Sendable {
        let start: UInt64
        let size: UInt64
        var end: UInt64 { start + size }
    }

    /// HTIF's mailboxes in RAM, where the program has them.
    struct HostInterface: Equatable, Sendable {
        let toHost: UInt64
        let fromHost: UInt64?
    }

    var pieces: [Piece] = []
    /// Where the harts start, and in which ring.
    var entry: UInt64 = VirtMemoryMap.memoryBase
    var privilege = Privilege.machine
    /// Only hart 0 starts; the others wait for the built-in SBI.
    var startsBootHartAlone = false
    var initrd: Span?
    /// Where the devicetree goes: written at each reset, because its seeds change.
    var devicetree = Span(start: 0, size: 0)
    /// Where a2 points: fw_dynamic's information.
    var firmwareInformation: Span?
    var hostInterface: HostInterface?
}
