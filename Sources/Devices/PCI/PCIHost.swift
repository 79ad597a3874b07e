// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A PCI Express host bridge with one root bus: who is meant by an access, and what the four interrupt lines make.
///
/// It is no `Device`: it calls no function, it only answers which one is meant, so that the board can lock each
/// function by itself. The steps stand at `PCIFunction`. Its own lock guards all that is not static here and is held
/// for one call at a time, never together with a function's.
///
/// Configuration space is found by arithmetic, memory and ports by what the functions said they decode:
///
///     PCIHost.configurationTarget(ecam:)      no lock
///     PCIHost.target(in:at:width:)            host's lock, then the function's
///     PCIHost.setDecoding(_:of:)              after a function's `takeDecodingChange()`
///     PCIHost.setInterrupt(_:of:pin:)         after a function's `interruptLevel`, then `interruptLevels`
public final class PCIHost {
    /// Which register of which function.
    public struct ConfigurationTarget: Equatable, Sendable {
        public let function: PCIAddress
        /// Bytes into its 4 KiB.
        public let register: Int
    }

    /// Where in which base address of which function.
    public struct Target: Equatable, Sendable {
        public let function: PCIAddress
        /// The number of the base address register.
        public let bar: Int
        /// Bytes into its range.
        public let offset: UInt64
    }

    /// What a read returns that no function answers, cut to its width; such writes are lost (PCI Express 5.0 §2.3.2).
    public static var unanswered: UInt64 { .max }
    /// The bytes of configuration space of a bus in ECAM (PCI Express 5.0 §7.2.2).
    public static var bytesPerBus: UInt64 { 1 << 20 }

    private struct Entry {
        let function: PCIAddress
        let range: PCIDecoding.Range
    }

    /// By address of the function: where two ranges overlap, and that is a driver's mistake, the first answers.
    private var entries: [Entry] = []
    private var generations: [PCIAddress: UInt64] = [:]
    /// By line: the functions that assert it.
    private var asserting: [Set<PCIAddress>]

    /// A host bridge whose functions decode nothing yet.
    public init() {
        asserting = Array(repeating: [], count: PCIInterruptRouting.lines)
    }

    /// What is at byte `offset` of ECAM: bus in 27:20, device in 19:15, function in 14:12, register in 11:0
    /// (PCI Express 5.0 §7.2.2, table 7-1).
    public static func configurationTarget(ecam offset: UInt64) -> ConfigurationTarget {
        let bus = UInt8(truncatingIfNeeded: offset >> 20)
        let device = UInt8(truncatingIfNeeded: offset >> 15)
        let function = UInt8(truncatingIfNeeded: offset >> 12)
        return ConfigurationTarget(
            function: PCIAddress(bus: bus, device: device, function: function), register: Int(offset & 0xFFF))
    }

    /// Which function answers all bytes of an access at `address`, as the bus has it, in `space`; nil if none does.
    public func target(in space: PCISpace, at address: UInt64, width: AccessWidth) -> Target? {
        for entry in entries where entry.range.space == space {
            let offset = address &- entry.range.base
            guard offset < entry.range.size, width.bytes <= entry.range.size - offset else { continue }
            return Target(function: entry.function, bar: entry.range.bar, offset: offset)
        }
        return nil
    }

    /// `function` decodes this from now on, unless something newer is known of it.
    public func setDecoding(_ decoding: PCIDecoding, of function: PCIAddress) {
        if let known = generations[function], known >= decoding.generation { return }
        generations[function] = decoding.generation
        entries.removeAll { $0.function == function }
        entries += decoding.ranges.map { Entry(function: function, range: $0) }
        entries.sort { ($0.function, $0.range.bar) < ($1.function, $1.range.bar) }
    }

    /// `function` asserts its interrupt `pin`, or not.
    public func setInterrupt(_ level: Bool, of function: PCIAddress, pin: PCIInterruptPin) {
        guard pin != .none else { return }
        let line = PCIInterruptRouting.line(device: function.device, pin: pin)
        if level { asserting[line].insert(function) } else { asserting[line].remove(function) }
    }

    /// The level of each line, bit n for line n: functions share a line as wired-or (PCI 3.0 §2.2.6).
    public var interruptLevels: UInt64 {
        var levels: UInt64 = 0
        for line in asserting.indices where !asserting[line].isEmpty { levels |= 1 << UInt64(line) }
        return levels
    }
}
