// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The I/O APIC (Intel 82093AA) with the end-of-interrupt register of its successors (Intel ICH9 §13.5): 24 pins, each
/// with a redirection entry that says which message its interrupt becomes.
///
/// Who uses it: r the guest reads, w the guest writes.
///
///     0x00  8 bits   rw  register select
///     0x10  32 bits  rw  the register selected
///     0x40  32 bits   w  ends the level-triggered interrupt of this vector
///
///     register 0x00         rw  ID in 27:24
///     register 0x01         r   version 0x20 in 7:0, the last entry's number in 23:16
///     register 0x02         r   arbitration ID in 27:24: the ID
///     register 0x10 + 2n    rw  entry n, 31:0
///     register 0x11 + 2n    rw  entry n, 63:32
///
///     entry  63:56 destination · 16 masked · 15 level-triggered · 14 remote IRR, read-only · 13 active low
///            12 delivery status, read-only · 11 the destination is logical · 10:8 delivery · 7:0 vector
///
/// Messages leave as work, to the platform's `MessageSink` in the form of an MSI: the fabric of local APICs, or KVM.
/// Bit 13 is kept and means nothing: a wire here says whether its device asserts it, not how high its voltage is.
public final class IOAPIC: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        public internal(set) var select: UInt8 = 0
        public internal(set) var identity: UInt32 = 0
        /// A pin each.
        public internal(set) var entries: [UInt64] = Array(repeating: Entry.masked, count: IOAPIC.pins)
        /// Bit n: pin n is asserted.
        public internal(set) var asserted: UInt32 = 0
    }

    /// How many pins there are.
    public static var pins: Int { 24 }
    private static var version: UInt32 { UInt32(pins - 1) << 16 | 0x20 }

    private enum Register {
        static var identity: UInt8 { 0x00 }
        static var version: UInt8 { 0x01 }
        static var arbitration: UInt8 { 0x02 }
        static var entries: UInt8 { 0x10 }
    }

    private enum Window {
        static var select: UInt64 { 0x00 }
        static var data: UInt64 { 0x10 }
        static var end: UInt64 { 0x40 }
    }

    /// Bits of a redirection entry (82093AA §3.2.4).
    private enum Entry {
        static var masked: UInt64 { 1 << 16 }
        static var level: UInt64 { 1 << 15 }
        static var remoteRequest: UInt64 { 1 << 14 }
        static var deliveryStatus: UInt64 { 1 << 12 }
        static var logical: UInt64 { 1 << 11 }
        static var writable: UInt64 { 0xFF00_0000_0001_AFFF }
    }

    /// The registers now.
    public private(set) var state = State()
    private let messages: any MessageSink
    private var unsent: [(address: UInt64, data: UInt32)] = []

    /// An IOAPIC whose messages go to `messages`.
    public init(messages: any MessageSink) {
        self.messages = messages
    }

    /// A page, of which three registers are all.
    public var windowSize: UInt64 { 0x1000 }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        switch offset {
        case Window.select: UInt64(state.select)
        case Window.data where width == .word: UInt64(register(state.select))
        default: 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        switch offset {
        case Window.select: state.select = UInt8(truncatingIfNeeded: value)
        case Window.data where width == .word: setRegister(state.select, UInt32(truncatingIfNeeded: value))
        case Window.end where width == .word: endOfInterrupt(UInt8(truncatingIfNeeded: value))
        default: break
        }
    }

    /// The wire of pin `number` is asserted or not. A number that is no pin's is ignored.
    public func setPin(_ number: Int, asserted: Bool) {
        guard number >= 0, number < Self.pins else { return }
        let bit = UInt32(1) << UInt32(number)
        guard (state.asserted & bit != 0) != asserted else { return }
        state.asserted ^= bit
        guard asserted else { return }
        if isLevel(number) {
            serve(number)
        } else if state.entries[number] & Entry.masked == 0 {
            // An edge at a masked pin is gone (§3.2.4, bit 16).
            send(number)
        }
    }

    /// A local APIC has served `vector`: its level-triggered pins may ask again, and do if they are still asserted.
    public func endOfInterrupt(_ vector: UInt8) {
        for number in state.entries.indices where UInt8(truncatingIfNeeded: state.entries[number]) == vector {
            guard state.entries[number] & Entry.remoteRequest != 0 else { continue }
            state.entries[number] &= ~Entry.remoteRequest
            serve(number)
        }
    }

    /// Whether any entry of `vector` is level-triggered: whose end KVM is to tell.
    public func hasLevel(vector: UInt8) -> Bool {
        state.entries.contains { $0 & Entry.level != 0 && UInt8(truncatingIfNeeded: $0) == vector }
    }

    public func takeWork() -> DeviceWork? {
        guard !unsent.isEmpty else { return nil }
        let taken = unsent
        unsent = []
        return { [messages] in for message in taken { messages.deliver(address: message.address, data: message.data) } }
    }

    /// All entries masked; the wires keep their levels.
    public func reset() {
        state = State(asserted: state.asserted)
        unsent = []
    }

    private func register(_ number: UInt8) -> UInt32 {
        switch number {
        case Register.identity, Register.arbitration: return state.identity
        case Register.version: return Self.version
        default:
            guard let (pin, shift) = place(number) else { return 0 }
            return UInt32(truncatingIfNeeded: state.entries[pin] >> shift)
        }
    }

    private func setRegister(_ number: UInt8, _ value: UInt32) {
        if number == Register.identity { state.identity = value & 0x0F00_0000 }
        guard let (pin, shift) = place(number) else { return }
        let writable = Entry.writable & 0xFFFF_FFFF << shift
        state.entries[pin] = state.entries[pin] & ~writable | UInt64(value) << shift & writable
        guard isLevel(pin) else {
            // An edge has no remote IRR: systems clear a stuck one by a turn to edge and back.
            state.entries[pin] &= ~Entry.remoteRequest
            return
        }
        serve(pin)
    }

    private func place(_ number: UInt8) -> (pin: Int, shift: UInt64)? {
        guard number >= Register.entries else { return nil }
        let pin = Int(number - Register.entries) / 2
        return pin < Self.pins ? (pin, UInt64(number & 1) * 32) : nil
    }

    /// Only vectors have levels: NMI and the like are edges whatever bit 15 says (§3.2.4, bits 10:8).
    private func isLevel(_ pin: Int) -> Bool {
        state.entries[pin] & Entry.level != 0 && state.entries[pin] >> 8 & 7 <= 1
    }

    /// A level-triggered pin sends once while it is asserted, until the end of its interrupt.
    private func serve(_ pin: Int) {
        guard isLevel(pin), state.asserted >> UInt32(pin) & 1 != 0 else { return }
        guard state.entries[pin] & (Entry.masked | Entry.remoteRequest) == 0 else { return }
        state.entries[pin] |= Entry.remoteRequest
        send(pin)
    }

    private func send(_ pin: Int) {
        let entry = state.entries[pin]
        let address = InterruptMessage.windowBase | (entry >> 56) << 12 | (entry & Entry.logical != 0 ? 4 : 0)
        let level: UInt32 = isLevel(pin) ? 0xC000 : 0
        unsent.append((address, UInt32(truncatingIfNeeded: entry & 0x7FF) | level))
    }
}
