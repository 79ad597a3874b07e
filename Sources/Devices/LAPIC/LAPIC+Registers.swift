// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The register file as both modes reach it, and its page of memory (Intel SDM Vol 3A §11.4.1).
extension LAPIC {
    /// A register by bits 11:4 of its offset: also the low byte of its number as a model-specific register.
    enum Register {
        static var identity: UInt32 { 0x02 }
        static var version: UInt32 { 0x03 }
        static var taskPriority: UInt32 { 0x08 }
        static var arbitrationPriority: UInt32 { 0x09 }
        static var processorPriority: UInt32 { 0x0A }
        static var endOfInterrupt: UInt32 { 0x0B }
        static var remoteRead: UInt32 { 0x0C }
        static var logicalDestination: UInt32 { 0x0D }
        static var destinationFormat: UInt32 { 0x0E }
        static var spurious: UInt32 { 0x0F }
        static var inService: ClosedRange<UInt32> { 0x10...0x17 }
        static var triggerMode: ClosedRange<UInt32> { 0x18...0x1F }
        static var requested: ClosedRange<UInt32> { 0x20...0x27 }
        static var errorStatus: UInt32 { 0x28 }
        static var commandLow: UInt32 { 0x30 }
        static var commandHigh: UInt32 { 0x31 }
        static var localVectors: ClosedRange<UInt32> { 0x32...0x37 }
        static var initialCount: UInt32 { 0x38 }
        static var currentCount: UInt32 { 0x39 }
        static var divider: UInt32 { 0x3E }
        static var selfInterrupt: UInt32 { 0x3F }
    }

    /// §11.4.8: an integrated APIC (0x14), six local vectors, and a broadcast of ends that can be suppressed.
    private static var version: UInt32 { 1 << 24 | UInt32(LocalVector.count - 1) << 16 | 0x14 }

    /// Reads a register that both modes have in the same form; nil: there is none.
    func readCommon(_ register: UInt32) -> UInt32? {
        switch register {
        case Register.version: return Self.version
        case Register.taskPriority: return UInt32(state.taskPriority)
        case Register.processorPriority: return UInt32(processorPriority)
        case Register.spurious: return state.spurious
        case Register.inService: return state.inService[Int(register & 7)]
        case Register.triggerMode: return inbox.levelWord(Int(register & 7))
        case Register.requested: return inbox.requestWord(Int(register & 7))
        case Register.errorStatus: return state.errors
        case Register.localVectors: return state.localVectors[Int(register - Register.localVectors.lowerBound)]
        case Register.initialCount: return state.initialCount
        case Register.currentCount: return currentCount
        case Register.divider: return state.divider
        default: return nil
        }
    }

    /// Writes a register that both modes have in the same form; what cannot be written stays. False: there is none.
    func writeCommon(_ value: UInt32, _ register: UInt32) -> Bool {
        switch register {
        case Register.taskPriority: state.taskPriority = UInt8(truncatingIfNeeded: value)
        case Register.endOfInterrupt: endOfInterrupt()
        case Register.spurious: setSpurious(value)
        case Register.errorStatus:
            state.errors = state.pendingErrors
            state.pendingErrors = 0
        case Register.localVectors:
            if let entry = LocalVector(rawValue: Int(register - Register.localVectors.lowerBound)) {
                setLocalVector(entry, value)
            }
        case Register.initialCount: setInitialCount(value)
        case Register.divider: setDivider(value)
        default: return false
        }
        publish()
        return true
    }

    /// §11.4.7.2: a local APIC that software disables masks all its local vectors.
    private func setSpurious(_ value: UInt32) {
        state.spurious = value & (Spurious.enabled | Spurious.focus | Spurious.noBroadcast | 0xFF)
        guard !isSoftwareEnabled else { return }
        for index in state.localVectors.indices { state.localVectors[index] |= LocalVector.masked }
    }

    private func setLocalVector(_ entry: LocalVector, _ value: UInt32) {
        if entry == .timer { changeTimerMode(to: value) }
        let kept = localVector(entry) & entry.readOnly
        var new = value & entry.writable | kept
        if !isSoftwareEnabled { new |= LocalVector.masked }
        // An edge has no remote request.
        if new & LocalVector.level == 0 { new &= ~LocalVector.remoteRequest }
        if entry == .timer, !features.hasTimeStampDeadline { new &= ~(1 << 18) }
        state.localVectors[entry.rawValue] = new
        settle()
    }

    // MARK: xAPIC: the page

    /// Whether the page of registers is there, and where: nil unless in xAPIC mode.
    public var pageAddress: UInt64? { mode == .xAPIC ? state.base & ~0xFFF : nil }

    /// Registers are words at multiples of 16 (§11.4.1); narrower reads get their part, and what is between reads as
    /// zero.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        let place = offset & 15
        guard offset < windowSize, place + min(width.bytes, 4) <= 4 else { return 0 }
        settle()
        let register = UInt32(truncatingIfNeeded: offset >> 4)
        guard let value = readPage(register) else {
            note(ErrorStatus.illegalRegister)
            return 0
        }
        return UInt64(value) >> (8 * place)
    }

    /// Takes words at multiples of 16.
    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard offset < windowSize, offset & 15 == 0, width == .word else { return }
        settle()
        let register = UInt32(truncatingIfNeeded: offset >> 4)
        if !writePage(UInt32(truncatingIfNeeded: value), register) { note(ErrorStatus.illegalRegister) }
    }

    func readPage(_ register: UInt32) -> UInt32? {
        switch register {
        case Register.identity: return UInt32(state.identity) << 24
        case Register.arbitrationPriority: return UInt32(arbitrationPriority)
        case Register.endOfInterrupt, Register.remoteRead: return 0
        case Register.logicalDestination: return UInt32(state.logicalDestination) << 24
        case Register.destinationFormat: return state.destinationFormat
        case Register.commandLow: return UInt32(truncatingIfNeeded: state.command)
        case Register.commandHigh: return UInt32(truncatingIfNeeded: state.command >> 32)
        default: return readCommon(register)
        }
    }

    private func writePage(_ value: UInt32, _ register: UInt32) -> Bool {
        switch register {
        case Register.identity: state.identity = UInt8(truncatingIfNeeded: value >> 24)
        case Register.logicalDestination: state.logicalDestination = UInt8(truncatingIfNeeded: value >> 24)
        case Register.destinationFormat: state.destinationFormat = value | 0x0FFF_FFFF
        case Register.commandLow:
            state.command = state.command & ~0xFFFF_FFFF | UInt64(value & Self.commandBits)
            sendCommand(to: UInt32(truncatingIfNeeded: state.command >> 56))
        case Register.commandHigh:
            state.command = state.command & 0xFFFF_FFFF | UInt64(value & 0xFF00_0000) << 32
        case Register.version, Register.arbitrationPriority, Register.processorPriority, Register.remoteRead,
            Register.inService, Register.triggerMode, Register.requested, Register.currentCount:
            // There, but not to be written: lost without an error.
            return true
        default: return writeCommon(value, register)
        }
        publish()
        return true
    }
}
