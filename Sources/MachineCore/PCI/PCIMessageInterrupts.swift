// SPDX-License-Identifier: Apache-2.0

/// A message-signalled interrupt on its way: a write of `data` to `address`.
public struct PCIMessage: Equatable, Sendable {
    public let address: UInt64
    public let data: UInt32
}

/// MSI-X of one function: the capability, its table and its pending bits (PCI 3.0 §6.8.2).
///
/// The function makes one only where its platform has a `MessageSink`; without it the capability is not shown and
/// drivers use the interrupt pin. The function hands the accesses to the table's and the pending bits' part of its
/// base address on to `readTable`, `writeTable` and `readPending`, and sends what `takeMessages()` answers as part of
/// `takeWork()`.
///
/// Capability (at `capabilityOffset`):
///
///     +0  identifier 0x11, next
///     +2  message control: 10:0 table size - 1, h; 14 function mask, g; 15 enable, g
///     +4  table offset 31:3, base address register 2:0, h
///     +8  pending bits offset 31:3, base address register 2:0, h
public final class PCIMessageInterrupts {
    /// One vector of the table (§6.8.2.6 to .9): 16 bytes in the guest's eyes.
    public struct Entry: Equatable, Sendable {
        public internal(set) var address: UInt64 = 0  // +0, g: bits 1:0 are zero
        public internal(set) var data: UInt32 = 0  // +8, g
        public internal(set) var isMasked = true  // +12 bit 0, g
    }

    /// What is saved and restored; enable and function mask are in the configuration space.
    public struct State: Equatable, Sendable {
        /// A vector each.
        public internal(set) var entries: [Entry]
        /// A vector each: signalled, and not sent yet.
        public internal(set) var isPending: [Bool]
    }

    /// Now.
    public private(set) var state: State
    /// Where the capability starts.
    public let capabilityOffset: Int
    private let configuration: PCIConfiguration

    /// The size in bytes of a table of `vectors` vectors.
    public static func tableSize(vectors: Int) -> UInt64 { UInt64(vectors) * 16 }
    /// The size in bytes of the pending bits of `vectors` vectors: whole 64-bit words.
    public static func pendingSize(vectors: Int) -> UInt64 { UInt64((vectors + 63) / 64) * 8 }

    /// Adds the capability of `vectors` (1...2048) vectors to `configuration`. The table lies at `tableOffset` and the
    /// pending bits at `pendingOffset` of base address `bar`, both multiples of 8.
    public init(
        vectors: Int, bar: Int, tableOffset: UInt32, pendingOffset: UInt32, configuration: PCIConfiguration
    ) {
        precondition(vectors >= 1 && vectors <= 2048, "MSI-X has 1 to 2048 vectors")
        precondition(tableOffset % 8 == 0 && pendingOffset % 8 == 0, "the parts of MSI-X are aligned to 8")
        let size = configuration.baseAddress(bar)?.size ?? 0
        precondition(
            UInt64(tableOffset) + Self.tableSize(vectors: vectors) <= size
                && UInt64(pendingOffset) + Self.pendingSize(vectors: vectors) <= size,
            "the parts of MSI-X lie within their base address")
        state = State(
            entries: Array(repeating: Entry(), count: vectors), isPending: Array(repeating: false, count: vectors))
        self.configuration = configuration
        let words = [tableOffset | UInt32(bar), pendingOffset | UInt32(bar)]
        let parts = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        let control = UInt16(vectors - 1)
        capabilityOffset = configuration.addCapability(
            PCICapability.msix,
            body: [UInt8(truncatingIfNeeded: control), UInt8(control >> 8)] + parts, guestWrites: [0, 0xC0])
    }

    /// Whether the driver has enabled MSI-X: then the interrupt pin stays quiet.
    public var isEnabled: Bool { control & 0x8000 != 0 }
    private var isFunctionMasked: Bool { control & 0x4000 != 0 }
    private var control: UInt64 { configuration.read(at: capabilityOffset + 2, width: .half) }

    /// Signals vector `vector`. One that does not exist, or a signal while MSI-X is disabled, is ignored: a driver may
    /// choose any vector number.
    public func signal(_ vector: Int) {
        guard isEnabled, state.isPending.indices.contains(vector) else { return }
        state.isPending[vector] = true
    }

    /// The messages that may go out now; they are pending no more. Masked vectors stay pending (§6.8.2.10), and so do
    /// all while the function may not write memory.
    public func takeMessages() -> [PCIMessage] {
        guard isEnabled, !isFunctionMasked, configuration.mayMasterBus else { return [] }
        var messages: [PCIMessage] = []
        for vector in state.entries.indices where state.isPending[vector] && !state.entries[vector].isMasked {
            state.isPending[vector] = false
            messages.append(PCIMessage(address: state.entries[vector].address, data: state.entries[vector].data))
        }
        return messages
    }

    /// Forgets the table and all that is pending.
    public func reset() {
        for vector in state.entries.indices {
            state.entries[vector] = Entry()
            state.isPending[vector] = false
        }
    }

    /// Reads `offset` bytes into the table. Only aligned words and doubles have a meaning (§6.8.2); others read as the
    /// bytes that lie there.
    public func readTable(at offset: UInt64, width: AccessWidth) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<width.bytes {
            let place = offset &+ index
            let byte = word(at: place & ~3) >> UInt32(8 * (place & 3)) & 0xFF
            value |= UInt64(byte) << (8 * index)
        }
        return value
    }

    /// Writes an aligned word or double of the table; other writes are ignored (§6.8.2: undefined).
    public func writeTable(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard offset & (width.bytes - 1) == 0 else { return }
        switch width {
        case .word:
            setWord(UInt32(truncatingIfNeeded: value), at: offset)
        case .double:
            setWord(UInt32(truncatingIfNeeded: value), at: offset)
            setWord(UInt32(truncatingIfNeeded: value >> 32), at: offset &+ 4)
        case .byte, .half: break
        }
    }

    /// Reads `offset` bytes into the pending bits, which the guest cannot write (§6.8.2.10).
    public func readPending(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard offset < Self.pendingSize(vectors: state.isPending.count) else { return 0 }
        var value: UInt64 = 0
        let first = Int(offset) * 8
        for bit in 0..<Int(width.rawValue) * 8 where first + bit < state.isPending.count {
            if state.isPending[first + bit] { value |= 1 << UInt64(bit) }
        }
        return value
    }

    private func word(at offset: UInt64) -> UInt32 {
        guard offset / 16 < UInt64(state.entries.count) else { return 0 }
        let entry = state.entries[Int(offset / 16)]
        switch offset % 16 {
        case 0: return UInt32(truncatingIfNeeded: entry.address)
        case 4: return UInt32(truncatingIfNeeded: entry.address >> 32)
        case 8: return entry.data
        default: return entry.isMasked ? 1 : 0
        }
    }

    private func setWord(_ value: UInt32, at offset: UInt64) {
        guard offset / 16 < UInt64(state.entries.count) else { return }
        let vector = Int(offset / 16)
        let address = state.entries[vector].address
        switch offset % 16 {
        case 0: state.entries[vector].address = address & ~0xFFFF_FFFF | UInt64(value & ~3)
        case 4: state.entries[vector].address = address & 0xFFFF_FFFF | UInt64(value) << 32
        case 8: state.entries[vector].data = value
        default: state.entries[vector].isMasked = value & 1 != 0
        }
    }
}
