// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The whole of a local APIC as values, for snapshots and for other engines that have one of their own.
extension LAPIC {
    /// What is saved and restored.
    public struct Snapshot: Equatable, Sendable {
        /// The registers by bits 9:4 of their offset, 64 words, as in the page of xAPIC mode. In x2APIC mode the ID has
        /// 32 bits, the logical destination is that of x2APIC, and the command's high half is its destination: the form
        /// of KVM's `KVM_GET_LAPIC` with 32-bit IDs.
        public var registers: [UInt32]
        /// IA32_APIC_BASE.
        public var base: UInt64
        /// IA32_TSC_DEADLINE.
        public var timeStampDeadline: UInt64
        /// Errors that do not show yet.
        public var pendingErrors: UInt32
        public var posted: Posted
    }

    /// What has been posted beside vectors and not been taken.
    public struct Posted: Equatable, Sendable {
        /// NMIs that wait, 0...2.
        public var nonMaskable: UInt8 = 0
        /// One is being served.
        public var blocksNonMaskable = false
        public var systemManagement = false
        public var initialize = false
        /// The vector of a start-up, or nil.
        public var startUp: UInt8?
        /// An external interrupt that came as a message.
        public var external = false

        /// Nothing.
        public init() {}
    }

    /// All there is to save, now.
    public var snapshot: Snapshot {
        let deadline = timeStampDeadline
        var registers = [UInt32](repeating: 0, count: 64)
        for number in UInt32(0)..<64 { registers[Int(number)] = saved(number) }
        return Snapshot(
            registers: registers, base: state.base, timeStampDeadline: deadline, pendingErrors: state.pendingErrors,
            posted: inbox.posted)
    }

    private func saved(_ register: UInt32) -> UInt32 {
        guard mode == .x2APIC else { return readPage(register) ?? 0 }
        if register == Register.commandHigh { return UInt32(truncatingIfNeeded: state.command >> 32) }
        return UInt32(truncatingIfNeeded: readX2APIC(register) ?? 0)
    }

    /// Becomes what was saved. Bits that no register has are dropped; missing registers are zero.
    public func restore(_ snapshot: Snapshot) {
        func word(_ register: UInt32) -> UInt32 {
            snapshot.registers.indices.contains(Int(register)) ? snapshot.registers[Int(register)] : 0
        }
        var new = State(base: snapshot.base, identity: UInt8(truncatingIfNeeded: inbox.identity))
        state = new
        if mode != .x2APIC {
            new.identity = UInt8(truncatingIfNeeded: word(Register.identity) >> 24)
            new.logicalDestination = UInt8(truncatingIfNeeded: word(Register.logicalDestination) >> 24)
            new.destinationFormat = word(Register.destinationFormat) | 0x0FFF_FFFF
        }
        new.taskPriority = UInt8(truncatingIfNeeded: word(Register.taskPriority))
        new.spurious = word(Register.spurious) & (Spurious.enabled | Spurious.focus | Spurious.noBroadcast | 0xFF)
        new.inService = Register.inService.map(word)
        for entry in LocalVector.allCases {
            let register = Register.localVectors.lowerBound + UInt32(entry.rawValue)
            new.localVectors[entry.rawValue] = word(register) & (entry.writable | entry.readOnly & ~(1 << 12))
        }
        let command = word(Register.commandLow) & Self.commandBits
        new.command = UInt64(word(Register.commandHigh)) << 32 | UInt64(command)
        new.errors = word(Register.errorStatus)
        new.pendingErrors = snapshot.pendingErrors
        new.initialCount = word(Register.initialCount)
        new.divider = word(Register.divider) & 0xB
        new.timeStampDeadline = snapshot.timeStampDeadline
        state = new
        restartCount(at: word(Register.currentCount))
        inbox.restore(requests: Register.requested.map(word), levels: Register.triggerMode.map(word))
        inbox.posted = snapshot.posted
        publish()
    }
}

extension LAPICInbox {
    /// What has been posted beside vectors.
    var posted: LAPIC.Posted {
        get {
            let events = pending
            var posted = LAPIC.Posted()
            posted.nonMaskable = UInt8(events.nonMaskableCount)
            posted.blocksNonMaskable = events.contains(.blocksNonMaskable)
            posted.systemManagement = events.contains(.systemManagement)
            posted.initialize = events.contains(.initialize)
            posted.startUp = events.contains(.startUp) ? UInt8(truncatingIfNeeded: events.rawValue >> 8) : nil
            posted.external = events.contains(.external)
            return posted
        }
        set {
            _ = take([
                .nonMaskable, .blocksNonMaskable, .systemManagement, .initialize, .startUp, .startUpVector, .external,
            ])
            (0..<min(newValue.nonMaskable, 2)).forEach { _ in raiseNonMaskable() }
            if newValue.blocksNonMaskable { raise(.blocksNonMaskable) }
            if newValue.systemManagement { raise(.systemManagement) }
            if newValue.initialize { raise(.initialize) }
            if newValue.external { raise(.external) }
            if let vector = newValue.startUp { post(.startUp, vector: vector, isLevel: false) }
        }
    }
}
