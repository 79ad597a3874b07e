// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// Software interrupts between harts at supervisor level (RISC-V ACLINT 1.0-rc4 chapter 4).
///
///     +4 * hart  32 bits, the guest writes: bit 0 set makes the hart's SSIP pending; reads as zero (§4.2)
///
/// An edge, not a level: the hart clears its SSIP bit itself. So there is no interrupt output; each write goes to a
/// sink when the work is performed, before the write is over.
public final class SSWI: Device {
    private let harts: Int
    private let setPending: @Sendable (_ hart: Int) -> Void
    private var edges: UInt64 = 0

    /// For harts 0 up to `harts`, at most 16. `setPending` makes SSIP of a hart pending, from any thread.
    public init(harts: Int, setPending: @escaping @Sendable (_ hart: Int) -> Void) {
        precondition(harts >= 1 && harts <= 16, "a machine has 1 to 16 harts")
        self.harts = harts
        self.setPending = setPending
    }

    /// Room for 4095 harts and a reserved word (§4.1).
    public var windowSize: UInt64 { 0x4000 }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .word, offset & 3 == 0, offset / 4 < UInt64(harts), value & 1 != 0 else { return }
        edges |= 1 << (offset / 4)
    }

    public func takeWork() -> DeviceWork? {
        guard edges != 0 else { return nil }
        let taken = edges
        edges = 0
        return { [harts, setPending] in
            for hart in 0..<harts where taken >> UInt64(hart) & 1 != 0 { setPending(hart) }
        }
    }

    public func reset() { edges = 0 }
}
