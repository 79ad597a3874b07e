// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The keyboard controller of a PC (8042) with nothing plugged into it, and system control port A: what systems need of
/// them is the reset pulse and the A20 gate.
///
/// Offsets are distances from port 0x60; each port is a byte. Who uses it: r the guest reads, w the guest writes.
///
///     0x00  r   the controller's answer
///     0x00   w  a byte to the keyboard, or what a command waits for
///     0x04  r   status: 0 an answer is there; 2 self-test passed; 3 the last write was a command; 4 not locked;
///               6 nobody answered in time
///     0x04   w  command
///     0x32  rw  port 0x92: bit 0 a rise resets; bit 1 A20
///
///     commands: 0x20-0x3F read and 0x60-0x7F write its memory, of which byte 0 is the configuration;
///     0xA9 test of a second port, which fails (2): there is none, and other commands for it are not known;
///     0xAA self-test (0x55), 0xAB port test (0),
///     0xAD and 0xAE disable and enable the keyboard; 0xC0 input port; 0xD0 and 0xD1 read and write the output port
///     (0 low resets, 1 A20); 0xD2 an answer as from the keyboard; 0xDD and 0xDF A20 off and on; 0xF0-0xFF pulse the
///     output port's low bits that are clear: with bit 0 a reset
///
/// A byte to the keyboard is answered by the controller: 0xFE, with the timeout in the status. Output 0 is IRQ 1.
public final class I8042: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        /// Byte 0: the configuration. 0 IRQ 1, 2 self-test passed, 4 keyboard disabled, 6 translation.
        public internal(set) var memory: [UInt8] = [0x04] + Array(repeating: 0, count: 31)
        /// What can be read, or nil.
        public internal(set) var answer: UInt8?
        /// The last one, which reads show again.
        public internal(set) var lastAnswer: UInt8 = 0
        /// The command that waits for its byte, or nil.
        public internal(set) var waiting: UInt8?
        public internal(set) var wasCommand = false
        public internal(set) var hasTimedOut = false
        /// The answer is the keyboard's: it interrupts.
        public internal(set) var isFromKeyboard = false
        public internal(set) var isA20Open = true
        /// Bit 0 of port 0x92.
        public internal(set) var fastReset = false
    }

    private enum Port {
        static var data: UInt64 { 0x00 }
        static var command: UInt64 { 0x04 }
        static var control: UInt64 { 0x32 }
    }

    /// The registers now.
    public private(set) var state = State()
    private let requests: @Sendable (MachineRequest) -> Void
    private let a20Changed: (@Sendable (Bool) -> Void)?
    private var asksReset = false
    private var untoldA20: Bool?

    /// Hands `.reset` to `requests`, and whether A20 is open to `a20Changed`, both with no lock held.
    public init(
        requests: @escaping @Sendable (MachineRequest) -> Void, a20Changed: (@Sendable (Bool) -> Void)? = nil
    ) {
        self.requests = requests
        self.a20Changed = a20Changed
    }

    public var windowSize: UInt64 { 0x33 }

    public var interruptLevels: UInt64 {
        state.answer != nil && state.isFromKeyboard && state.memory[0] & 1 != 0 ? 1 : 0
    }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .byte else { return 0 }
        switch offset {
        case Port.data:
            if let answer = state.answer {
                state.lastAnswer = answer
                state.answer = nil
                state.hasTimedOut = false
            }
            return UInt64(state.lastAnswer)
        case Port.command:
            return (state.answer != nil ? 0x01 : 0) | UInt64(state.memory[0] & 0x04) | (state.wasCommand ? 0x08 : 0)
                | 0x10 | (state.hasTimedOut ? 0x40 : 0)
        case Port.control: return (state.fastReset ? 1 : 0) | (state.isA20Open ? 2 : 0)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .byte else { return }
        let byte = UInt8(truncatingIfNeeded: value)
        switch offset {
        case Port.data:
            state.wasCommand = false
            takeData(byte)
        case Port.command:
            state.wasCommand = true
            state.waiting = nil
            command(byte)
        case Port.control:
            if byte & 1 != 0, !state.fastReset { asksReset = true }
            state.fastReset = byte & 1 != 0
            setA20(byte & 2 != 0)
        default: break
        }
    }

    private func command(_ byte: UInt8) {
        switch byte {
        case 0x20...0x3F: answer(state.memory[Int(byte & 0x1F)])
        case 0x60...0x7F, 0xD1, 0xD2: state.waiting = byte
        // The lines of the second port are open: its clock never falls.
        case 0xA9: answer(0x02)
        case 0xAA:
            state.memory[0] |= 0x04
            answer(0x55)
        case 0xAB: answer(0x00)
        case 0xAD: state.memory[0] |= 0x10
        case 0xAE: state.memory[0] &= ~0x10
        // Not locked, the strap of a color display open.
        case 0xC0: answer(0xA0)
        case 0xD0: answer(0x01 | (state.isA20Open ? 0x02 : 0) | (interruptLevels != 0 ? 0x10 : 0) | 0xC0)
        case 0xDD: setA20(false)
        case 0xDF: setA20(true)
        case 0xF0...0xFF: if byte & 1 == 0 { asksReset = true }
        default: break
        }
    }

    private func takeData(_ byte: UInt8) {
        guard let command = state.waiting else {
            // To a keyboard that is not there: it is not disabled any more, and does not answer.
            state.memory[0] &= ~0x10
            answer(0xFE, fromKeyboard: true)
            state.hasTimedOut = true
            return
        }
        state.waiting = nil
        switch command {
        case 0x60...0x7F: state.memory[Int(command & 0x1F)] = byte
        case 0xD1:
            if byte & 1 == 0 { asksReset = true }
            setA20(byte & 2 != 0)
        case 0xD2: answer(byte, fromKeyboard: true)
        default: break
        }
    }

    private func answer(_ byte: UInt8, fromKeyboard: Bool = false) {
        state.answer = byte
        state.isFromKeyboard = fromKeyboard
        state.hasTimedOut = false
    }

    private func setA20(_ open: Bool) {
        guard open != state.isA20Open else { return }
        state.isA20Open = open
        untoldA20 = open
    }

    public func takeWork() -> DeviceWork? {
        guard asksReset || untoldA20 != nil else { return nil }
        let (resets, open) = (asksReset, untoldA20)
        asksReset = false
        untoldA20 = nil
        return { [requests, a20Changed] in
            if let open { a20Changed?(open) }
            if resets { requests(.reset) }
        }
    }

    /// A20 is open, as firmware leaves it.
    public func reset() {
        if !state.isA20Open { untoldA20 = true }
        state = State()
        asksReset = false
    }
}
