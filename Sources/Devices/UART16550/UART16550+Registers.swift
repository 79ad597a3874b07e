// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The registers by offset, and who uses them: r the guest reads, w the guest writes. Table II.
private enum Register {
    static var data: UInt64 { 0 }  // r receiver buffer, w transmitter holding; rw divisor 7:0 with DLAB
    static var interruptEnable: UInt64 { 1 }  // rw §8.7; divisor 15:8 with DLAB
    static var interruptIdentity: UInt64 { 2 }  // r §8.6
    static var fifoControl: UInt64 { 2 }  // w §8.5
    static var lineControl: UInt64 { 3 }  // rw §8.1
    static var modemControl: UInt64 { 4 }  // rw §8.8
    static var lineStatus: UInt64 { 5 }  // r §8.4
    static var modemStatus: UInt64 { 6 }  // r §8.9
    static var scratch: UInt64 { 7 }  // rw §8.10
}

/// Interrupt enable, §8.7.
enum InterruptEnable {
    static var receivedData: UInt8 { 1 << 0 }
    static var transmitterEmpty: UInt8 { 1 << 1 }
    static var lineStatus: UInt8 { 1 << 2 }
    static var modemStatus: UInt8 { 1 << 3 }
    static var all: UInt8 { 0x0F }
}

/// Interrupt identity, §8.6 table IV: the cases by falling priority, the value as the register has it in 3:0.
enum InterruptIdentity: UInt8 {
    case lineStatus = 0b0110
    case receivedData = 0b0100
    case characterTimeout = 0b1100
    case transmitterEmpty = 0b0010
    case modemStatus = 0b0000
    case none = 0b0001
}

/// FIFO control, §8.5.
enum FIFOControl {
    static var enable: UInt8 { 1 << 0 }
    static var resetReceiver: UInt8 { 1 << 1 }
    static var resetTransmitter: UInt8 { 1 << 2 }
    static var kept: UInt8 { 0xC9 }  // trigger 7:6, DMA mode 3, enable 0
}

/// Line control, §8.1. Word length, parity and break have no effect on a line without signals.
enum LineControl {
    static var divisorLatchAccess: UInt8 { 1 << 7 }
}

/// Modem control, §8.8.
enum ModemControl {
    static var dataTerminalReady: UInt8 { 1 << 0 }
    static var requestToSend: UInt8 { 1 << 1 }
    static var out1: UInt8 { 1 << 2 }
    static var out2: UInt8 { 1 << 3 }
    static var loopback: UInt8 { 1 << 4 }
    static var all: UInt8 { 0x1F }
}

/// Line status, §8.4. Parity and framing errors do not happen here.
enum LineStatus {
    static var dataReady: UInt8 { 1 << 0 }
    static var overrun: UInt8 { 1 << 1 }
    static var breakInterrupt: UInt8 { 1 << 4 }
    static var transmitterHoldingEmpty: UInt8 { 1 << 5 }
    static var transmitterEmpty: UInt8 { 1 << 6 }
    static var errorInFIFO: UInt8 { 1 << 7 }
}

/// Modem status, §8.9.
enum ModemStatus {
    static var clearToSend: UInt8 { 1 << 4 }
    static var dataSetReady: UInt8 { 1 << 5 }
    static var ringIndicator: UInt8 { 1 << 6 }
    static var carrierDetect: UInt8 { 1 << 7 }
    static var changeOfRing: UInt8 { 1 << 2 }  // only when the ring ends
}

extension UART16550 {
    /// A wider access reaches the one register at its offset: its neighbours are not read, for reading changes them.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        notePoll(offset == Register.lineStatus)
        defer { noteRoom() }
        switch offset {
        case Register.data:
            return UInt64(isDivisorSelected ? UInt8(truncatingIfNeeded: state.divisor) : takeReceived())
        case Register.interruptEnable:
            return UInt64(isDivisorSelected ? UInt8(state.divisor >> 8) : state.interruptEnable)
        case Register.interruptIdentity:
            let identity = interruptIdentity
            state.hasReadIdentity = true
            // §8.6 table IV: reading the identity resets the transmitter's interrupt, if that is what it says.
            if identity == .transmitterEmpty { state.isTransmitterNews = false }
            return UInt64(identity.rawValue | (hasFIFOs ? 0xC0 : 0))
        case Register.lineControl: return UInt64(state.lineControl)
        case Register.modemControl: return UInt64(state.modemControl)
        case Register.lineStatus:
            let status = lineStatus
            state.lineErrors = 0
            // A driver that never reads the identity has no other way to reset the transmitter's interrupt, and a
            // level that stays up keeps interrupting it for ever. xv6-riscv is one: it was written against a platform
            // whose interrupt controller takes one interrupt an edge. It polls for an empty transmitter, so seeing one
            // is all the news it needs. For who has read the identity, §8.6 holds to the letter.
            if !state.hasReadIdentity { state.isTransmitterNews = false }
            return UInt64(status)
        case Register.modemStatus:
            let status = modemLines | state.modemChanges
            state.modemChanges = 0
            return UInt64(status)
        case Register.scratch: return UInt64(state.scratch)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        notePoll(false)
        defer { noteRoom() }
        let byte = UInt8(truncatingIfNeeded: value)
        switch offset {
        case Register.data where isDivisorSelected: state.divisor = state.divisor & 0xFF00 | UInt16(byte)
        case Register.data: transmit(byte)
        case Register.interruptEnable where isDivisorSelected:
            state.divisor = state.divisor & 0x00FF | UInt16(byte) << 8
        case Register.interruptEnable:
            // Enabling the transmitter's interrupt while it is empty, and it always is, raises the interrupt (§8.11).
            if byte & ~state.interruptEnable & InterruptEnable.transmitterEmpty != 0 { state.isTransmitterNews = true }
            state.interruptEnable = byte & InterruptEnable.all
        case Register.fifoControl: controlFIFOs(byte)
        case Register.lineControl: state.lineControl = byte
        case Register.modemControl:
            let before = modemLines
            state.modemControl = byte & ModemControl.all
            noteModemChange(from: before)
        case Register.scratch: state.scratch = byte
        default: break  // the status registers: §8.4 reserves writes for factory tests, §8.9 has no effect
        }
    }

    private var isDivisorSelected: Bool { state.lineControl & LineControl.divisorLatchAccess != 0 }

    /// The highest cause that is enabled: what the interrupt output follows.
    var interruptIdentity: InterruptIdentity {
        let enabled = state.interruptEnable
        if enabled & InterruptEnable.lineStatus != 0, state.lineErrors != 0 { return .lineStatus }
        if enabled & InterruptEnable.receivedData != 0, !state.received.isEmpty {
            return state.received.count >= triggerLevel ? .receivedData : .characterTimeout
        }
        if enabled & InterruptEnable.transmitterEmpty != 0, state.isTransmitterNews { return .transmitterEmpty }
        if enabled & InterruptEnable.modemStatus != 0, state.modemChanges != 0 { return .modemStatus }
        return .none
    }

    private var lineStatus: UInt8 {
        var status = LineStatus.transmitterHoldingEmpty | LineStatus.transmitterEmpty | state.lineErrors
        if !state.received.isEmpty { status |= LineStatus.dataReady }
        let isBroken = state.lineErrors & LineStatus.breakInterrupt != 0 || state.received.contains { $0 > 0xFF }
        if hasFIFOs, isBroken { status |= LineStatus.errorInFIFO }
        return status
    }

    /// The lines from the other end, 7:4: a terminal that is always there, or in loopback the port's own (§8.8).
    private var modemLines: UInt8 {
        guard isLoopback else { return ModemStatus.carrierDetect | ModemStatus.dataSetReady | ModemStatus.clearToSend }
        let control = state.modemControl
        var lines: UInt8 = 0
        if control & ModemControl.requestToSend != 0 { lines |= ModemStatus.clearToSend }
        if control & ModemControl.dataTerminalReady != 0 { lines |= ModemStatus.dataSetReady }
        if control & ModemControl.out1 != 0 { lines |= ModemStatus.ringIndicator }
        if control & ModemControl.out2 != 0 { lines |= ModemStatus.carrierDetect }
        return lines
    }

    private func noteModemChange(from before: UInt8) {
        let now = modemLines
        var changes = (before ^ now) >> 4
        if now & ModemStatus.ringIndicator != 0 { changes &= ~ModemStatus.changeOfRing }
        state.modemChanges |= changes
    }
}
