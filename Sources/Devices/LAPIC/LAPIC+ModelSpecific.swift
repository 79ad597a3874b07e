// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The local APIC's model-specific registers: its base and mode, the timer's deadline, and x2APIC (Intel SDM Vol 3A
/// §11.4.4, §11.5.4.1, §11.12).
extension LAPIC {
    private enum Index {
        static var base: UInt32 { 0x1B }
        static var timeStampDeadline: UInt32 { 0x6E0 }
        static var x2APIC: ClosedRange<UInt32> { 0x800...0x8FF }
    }

    /// Reads register `index`, or nil: #GP.
    public func readRegister(_ index: UInt32) -> UInt64? {
        switch index {
        case Index.base: return state.base
        case Index.timeStampDeadline: return features.hasTimeStampDeadline ? timeStampDeadline : nil
        case Index.x2APIC:
            guard mode == .x2APIC else { return nil }
            settle()
            return readX2APIC(index & 0xFF)
        default: return nil
        }
    }

    /// Writes register `index`. False: #GP, and nothing has changed.
    public func writeRegister(_ value: UInt64, _ index: UInt32) -> Bool {
        settle()
        switch index {
        case Index.base: return setBase(value)
        case Index.timeStampDeadline:
            guard features.hasTimeStampDeadline else { return false }
            setTimeStampDeadline(value)
            return true
        case Index.x2APIC: return mode == .x2APIC && writeX2APIC(value, index & 0xFF)
        default: return false
        }
    }

    // MARK: IA32_APIC_BASE

    /// §11.12.5, figure 11-27: from off only to xAPIC, from xAPIC anywhere, from x2APIC only to off.
    private func setBase(_ value: UInt64) -> Bool {
        let flags = BaseBits.bootProcessor | BaseBits.enabled | (features.hasX2APIC ? BaseBits.x2APIC : 0)
        let address = (UInt64(1) << UInt64(features.physicalAddressBits)) - 0x1000
        guard value & ~(address | flags) == 0 else { return false }
        let isEnabled = value & BaseBits.enabled != 0
        let isX2APIC = value & BaseBits.x2APIC != 0
        guard isEnabled || !isX2APIC else { return false }
        switch mode {
        case .off: if isX2APIC { return false }
        case .xAPIC: break
        case .x2APIC: if isEnabled, !isX2APIC { return false }
        }
        let wasOff = mode == .off
        state.base = value
        if mode == .off, !wasOff { switchOff() }
        // x2APIC mode knows the whole ID again (§11.12.5.1).
        if mode == .x2APIC {
            state.identity = UInt8(truncatingIfNeeded: inbox.identity)
            state.command &= 0xFFFF_FFFF
        }
        publish()
        return true
    }

    /// §11.4.3: what was there is lost, but the task priority, which is the processor's too (CR8). NMIs and what
    /// starts and stops the processor do not need the local APIC.
    private func switchOff() {
        inbox.clear(keeping: [
            .nonMaskable, .blocksNonMaskable, .systemManagement, .initialize, .startUp, .startUpVector,
        ])
        var new = State(base: state.base, identity: UInt8(truncatingIfNeeded: inbox.identity))
        new.taskPriority = state.taskPriority
        state = new
    }

    // MARK: x2APIC

    func readX2APIC(_ register: UInt32) -> UInt64? {
        switch register {
        case Register.identity: return UInt64(inbox.identity)
        // §11.12.10.2: the cluster above, the place in it below.
        case Register.logicalDestination: return UInt64(inbox.identity >> 4) << 16 | 1 << UInt64(inbox.identity & 15)
        case Register.commandLow: return state.command
        default: return readCommon(register).map(UInt64.init)
        }
    }

    /// What bits a write may have, by register (§11.12.1.2 and .3); nil: the register cannot be written.
    private func writableBits(_ register: UInt32) -> UInt64? {
        switch register {
        case Register.taskPriority, Register.selfInterrupt: return 0xFF
        case Register.endOfInterrupt, Register.errorStatus: return 0
        case Register.spurious: return UInt64(Spurious.enabled | Spurious.focus | Spurious.noBroadcast | 0xFF)
        case Register.commandLow: return 0xFFFF_FFFF_0000_0000 | UInt64(Self.commandBits) | 1 << 12
        case Register.localVectors:
            let entry = LocalVector(rawValue: Int(register - Register.localVectors.lowerBound))
            return entry.map { UInt64($0.writable | $0.readOnly) }
        case Register.initialCount: return 0xFFFF_FFFF
        case Register.divider: return 0xB
        default: return nil
        }
    }

    private func writeX2APIC(_ value: UInt64, _ register: UInt32) -> Bool {
        guard let writable = writableBits(register), value & ~writable == 0 else { return false }
        switch register {
        case Register.commandLow:
            state.command = value & (0xFFFF_FFFF_0000_0000 | UInt64(Self.commandBits))
            sendCommand(to: UInt32(truncatingIfNeeded: value >> 32))
            return true
        case Register.selfInterrupt:
            // Always fixed and an edge (§11.12.11).
            let vector = UInt8(truncatingIfNeeded: value)
            if vector < 16 { note(ErrorStatus.sentIllegalVector) } else { postToSelf(.fixed, vector) }
            return true
        default: return writeCommon(UInt32(truncatingIfNeeded: value), register)
        }
    }
}
