// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// One 8259A interrupt controller: eight inputs, one output, two ports (8259A data sheet). `PICPair` connects two.
///
/// Who uses it: r the guest reads, w the guest writes.
///
///     +0   w  bit 4 set: ICW1, which begins an initialization; else bit 3 set: OCW3; else OCW2
///     +0  r   the requests, or what is in service, as OCW3 has chosen; after a poll command its answer
///     +1   w  ICW2, ICW3 and ICW4 during an initialization; else OCW1, the mask
///     +1  r   the mask; after a poll command its answer
///
/// An input asks by its edge, or by its level where the edge/level register says so (Intel ICH9 §13.4.10); bit 3 of
/// ICW1, which says it for all inputs, is not heard, as in all PCs since. An input that falls takes its request back.
public struct PIC8259: Equatable, Sendable {
    /// Requests that edges have left.
    public internal(set) var edges: UInt8 = 0
    /// The inputs' levels.
    public internal(set) var inputs: UInt8 = 0
    public internal(set) var inService: UInt8 = 0
    /// The data sheet leaves it open after power-on. Masked, the chip surprises no system.
    public internal(set) var mask: UInt8 = 0xFF
    /// Inputs that ask by their level.
    public internal(set) var levelTriggered: UInt8 = 0
    /// 7:3 of the vectors.
    public internal(set) var vectorBase: UInt8 = 0
    /// ICW3: the inputs with slaves, or a slave's own number. Kept; the wiring of a PC is known.
    public internal(set) var cascade: UInt8 = 0
    /// The input of the lowest priority; the next one has the highest.
    public internal(set) var lowest: UInt8 = 7
    /// The initialization command word that the next write to port 1 is: 2, 3, 4, or 0 for none.
    public internal(set) var awaited: UInt8 = 0
    public internal(set) var isSingle = false
    public internal(set) var hasICW4 = false
    public internal(set) var endsAutomatically = false
    public internal(set) var rotatesOnAutomaticEnd = false
    public internal(set) var isSpeciallyMasked = false
    public internal(set) var isSpeciallyNested = false
    public internal(set) var showsInService = false
    public internal(set) var isPolled = false

    init() {}

    /// What asks, masked or not: the request register.
    var requests: UInt8 { edges & ~levelTriggered | inputs & levelTriggered }

    mutating func setInput(_ number: UInt8, level: Bool) {
        let bit: UInt8 = 1 << number
        if level {
            edges |= ~inputs & bit
            inputs |= bit
        } else {
            inputs &= ~bit
            edges &= ~bit
        }
    }

    /// The output: an input asks whose priority is above all that is in service.
    var output: Bool { winner != nil }

    /// The input that would be acknowledged now, or nil.
    private var winner: UInt8? {
        guard let asking = highest(of: requests & ~mask) else { return nil }
        // In special mask mode what is masked blocks nothing, though it is in service.
        var blocking = isSpeciallyMasked ? inService & ~mask : inService
        // A master in special fully nested mode lets a slave in service ask again.
        if isSpeciallyNested { blocking &= ~cascade }
        guard let served = highest(of: blocking) else { return asking }
        return rank(asking) < rank(served) ? asking : nil
    }

    /// 0 is the highest priority.
    private func rank(_ number: UInt8) -> UInt8 { (number &- lowest &- 1) & 7 }

    private func highest(of inputs: UInt8) -> UInt8? {
        guard inputs != 0 else { return nil }
        let first = (lowest &+ 1) & 7
        let turned = inputs >> first | inputs << ((8 &- first) & 7)
        return (UInt8(turned.trailingZeroBitCount) &+ first) & 7
    }

    /// Takes the input of the highest priority into service; nil if none asks any more.
    mutating func acknowledge() -> UInt8? {
        guard let number = winner else { return nil }
        edges &= ~(1 << number)
        if endsAutomatically {
            if rotatesOnAutomaticEnd { lowest = number }
        } else {
            inService |= 1 << number
        }
        return number
    }

    // MARK: Ports

    mutating func read(port: UInt64) -> UInt8 {
        if isPolled {
            // A read after the poll command is an acknowledgement.
            isPolled = false
            return acknowledge().map { 0x80 | $0 } ?? 0
        }
        if port == 1 { return mask }
        return showsInService ? inService : requests
    }

    mutating func write(_ value: UInt8, port: UInt64) {
        if port == 1 {
            writeWord(value)
        } else if value & 0x10 != 0 {
            initialize(value)
        } else if value & 0x08 != 0 {
            command3(value)
        } else {
            command2(value)
        }
    }

    /// ICW1.
    private mutating func initialize(_ value: UInt8) {
        var new = PIC8259()
        new.inputs = inputs
        new.levelTriggered = levelTriggered
        new.vectorBase = vectorBase
        new.mask = 0
        new.awaited = 2
        new.isSingle = value & 2 != 0
        new.hasICW4 = value & 1 != 0
        self = new
    }

    private mutating func writeWord(_ value: UInt8) {
        switch awaited {
        case 2:
            vectorBase = value & 0xF8
            awaited = isSingle ? (hasICW4 ? 4 : 0) : 3
        case 3:
            cascade = value
            awaited = hasICW4 ? 4 : 0
        case 4:
            endsAutomatically = value & 2 != 0
            isSpeciallyNested = value & 0x10 != 0
            awaited = 0
        default: mask = value
        }
    }

    /// OCW2: ends and rotations, by bits 7:5.
    private mutating func command2(_ value: UInt8) {
        let number = value & 7
        switch value >> 5 {
        case 0: rotatesOnAutomaticEnd = false
        case 1: end(nil, rotates: false)
        case 3: end(number, rotates: false)
        case 4: rotatesOnAutomaticEnd = true
        case 5: end(nil, rotates: true)
        case 6: lowest = number
        case 7: end(number, rotates: true)
        default: break
        }
    }

    /// Ends input `number`, or the one of the highest priority in service: in special mask mode not one that is masked.
    private mutating func end(_ number: UInt8?, rotates: Bool) {
        guard let number = number ?? highest(of: isSpeciallyMasked ? inService & ~mask : inService) else { return }
        inService &= ~(1 << number)
        if rotates { lowest = number }
    }

    /// OCW3: what reads show, the poll command, special mask mode.
    private mutating func command3(_ value: UInt8) {
        if value & 0x02 != 0 { showsInService = value & 1 != 0 }
        if value & 0x04 != 0 { isPolled = true }
        if value & 0x40 != 0 { isSpeciallyMasked = value & 0x20 != 0 }
    }
}
