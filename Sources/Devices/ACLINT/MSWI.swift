// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// Software interrupts between harts at machine level (RISC-V ACLINT 1.0-rc4 chapter 3).
///
///     +4 * hart  32 bits, the guest reads and writes: bit 0 is the hart's MSIP (§3.2), the others are zero
///
/// Output n is hart n's machine software interrupt.
public final class MSWI: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        /// Bit n: MSIP of hart n.
        public internal(set) var pending: UInt64 = 0
    }

    /// The registers now.
    public private(set) var state = State()
    private let harts: Int

    /// For harts 0 up to `harts`, at most 16.
    public init(harts: Int) {
        precondition(harts >= 1 && harts <= 16, "a machine has 1 to 16 harts")
        self.harts = harts
    }

    /// Room for 4095 harts and a reserved word (§3.1).
    public var windowSize: UInt64 { 0x4000 }
    public var interruptLevels: UInt64 { state.pending }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard let hart = hart(at: offset, width: width) else { return 0 }
        return state.pending >> hart & 1
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard let hart = hart(at: offset, width: width) else { return }
        state.pending = state.pending & ~(1 << hart) | (value & 1) << hart
    }

    public func reset() { state = State() }

    private func hart(at offset: UInt64, width: AccessWidth) -> UInt64? {
        guard width == .word, offset & 3 == 0, offset / 4 < UInt64(harts) else { return nil }
        return offset / 4
    }
}
