// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The registers, as words and doubles (HPET 1.0a §2.3.2).
extension HPET {
    private enum Register {
        static var capabilities: UInt64 { 0x000 }
        static var configuration: UInt64 { 0x010 }
        static var status: UInt64 { 0x020 }
        static var count: UInt64 { 0x0F0 }
        static var comparators: UInt64 { 0x100 }
    }

    private static var capabilities: UInt64 {
        (nanosecondsPerTick * 1_000_000) << 32 | 0x8086 << 16 | 1 << 15 | 1 << 13 | UInt64(comparators - 1) << 8 | 1
    }

    /// What can be written of a comparator's configuration.
    private var writable: UInt64 {
        let bits = Bits.level | Bits.interrupts | Bits.periodic | Bits.setsValue | Bits.narrow | Bits.route
        return messages == nil ? bits : bits | Bits.message
    }

    /// Takes aligned words and doubles; others read as zero.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .word || width == .double, offset & (width.bytes - 1) == 0 else { return 0 }
        settle()
        return register(offset & ~7) >> (8 * (offset & 7)) & width.mask
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .word || width == .double, offset & (width.bytes - 1) == 0 else { return }
        settle()
        let shift = 8 * (offset & 7)
        let mask = width.mask << shift
        setRegister(offset & ~7, value << shift & mask, mask)
    }

    /// Which comparator, and which of its registers: 0 configuration, 8 value, 16 message.
    private func place(_ offset: UInt64) -> (number: Int, part: UInt64)? {
        guard offset >= Register.comparators else { return nil }
        let number = (offset - Register.comparators) / 0x20
        return number < UInt64(Self.comparators) ? (Int(number), offset & 0x1F) : nil
    }

    private func register(_ offset: UInt64) -> UInt64 {
        switch offset {
        case Register.capabilities: return Self.capabilities
        case Register.configuration: return state.configuration
        case Register.status: return state.status
        case Register.count: return count
        default:
            guard let (number, part) = place(offset) else { return 0 }
            let comparator = state.comparators[number]
            switch part {
            case 0:
                let can = Bits.can | (messages == nil ? 0 : Bits.canMessage) | UInt64(routes) << 32
                return comparator.configuration & ~Bits.setsValue | can
            case 8: return comparator.value
            case 16: return comparator.message
            default: return 0
            }
        }
    }

    /// Writes the bits of `mask`.
    private func setRegister(_ offset: UInt64, _ value: UInt64, _ mask: UInt64) {
        switch offset {
        case Register.configuration where mask & 3 != 0:
            state.configuration = state.configuration & ~General.replaces | value & General.replaces
            setEnabled(value & General.enabled != 0)
            state.comparators.indices.forEach(restart)
        case Register.status: state.status &= ~value
        case Register.count:
            count = count & ~mask | value
            state.comparators.indices.forEach(restart)
        default:
            guard let (number, part) = place(offset) else { return }
            switch part {
            case 0: setConfiguration(number, value, mask & writable)
            case 8: setValue(number, value, mask)
            case 16: state.comparators[number].message = state.comparators[number].message & ~mask | value
            default: break
            }
        }
    }

    private func setConfiguration(_ number: Int, _ value: UInt64, _ mask: UInt64) {
        guard mask != 0 else { return }
        let old = state.comparators[number].configuration
        var new = old & ~mask | value & mask
        // A route that is not offered is not taken (§2.3.8, Tn_INT_ROUTE_CNF).
        if routes >> UInt32(truncatingIfNeeded: (new & Bits.route) >> 9) & 1 == 0 {
            new = new & ~Bits.route | old & Bits.route
        }
        state.comparators[number].configuration = new
        if new & Bits.narrow != 0 { state.comparators[number].value &= 0xFFFF_FFFF }
        if new & Bits.interrupts == 0 || new & Bits.level != 0 {
            state.comparators[number].isHigh = false
            state.comparators[number].isDue = false
        }
        if new & Bits.level == 0 { state.status &= ~(1 << UInt64(number)) }
        restart(number)
    }

    /// A periodic comparator takes a value as its period, and as its next match only when it was told so just before
    /// (Tn_VAL_SET_CNF, which clears itself).
    private func setValue(_ number: Int, _ value: UInt64, _ mask: UInt64) {
        let isNarrow = state.comparators[number].configuration & Bits.narrow != 0
        let mask = isNarrow ? mask & 0xFFFF_FFFF : mask
        let old = state.comparators[number]
        if !old.isPeriodic || old.configuration & Bits.setsValue != 0 {
            state.comparators[number].value = old.value & ~mask | value & mask
            restart(number)
        }
        if old.isPeriodic { state.comparators[number].period = old.period & ~mask | value & mask }
        state.comparators[number].configuration &= ~Bits.setsValue
    }
}
