// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The local APIC of one processor: xAPIC by memory and x2APIC by model-specific registers, over one register file
/// (Intel SDM Vol 3A chapter 11).
///
/// A register of xAPIC at offset 0xNN0 is model-specific register 0x8NN of x2APIC (§11.12.1.2). Who uses it: r the guest
/// reads, w the guest writes; x: only one of the two has it.
///
///     020 rw  ID (x2APIC: r)                100-170 r   in service, 256 bits
///     030 r   version                       180-1F0 r   trigger mode
///     080 rw  task priority                 200-270 r   requested
///     090 r   arbitration priority (xAPIC)  280     rw  error status
///     0A0 r   processor priority            300     rw  interrupt command, low (x2APIC: 64 bits)
///     0B0  w  end of interrupt              310     rw  interrupt command, high (xAPIC)
///     0C0 r   remote read (xAPIC)           320-370 rw  local vectors: timer, thermal, counters, LINT0, LINT1, error
///     0D0 rw  logical destination           380     rw  timer's initial count
///             (x2APIC: r)                   390     r   timer's current count
///     0E0 rw  destination format (xAPIC)    3E0     rw  timer's divider
///     0F0 rw  spurious vector               3F0      w  self IPI (x2APIC)
///
/// Touched by its processor's thread alone, or by anyone while that is parked: it has no lock. Other threads post to
/// `inbox`, whose atomics this looks at before each answer. What leaves, messages and ends of interrupts, leaves as
/// `takeRequests()`, or `takeWork()` where a fabric is connected.
public final class LAPIC: Device {
    /// What a processor model says of its local APIC.
    public struct Features: Equatable, Sendable {
        /// CPUID.1:ECX bit 21.
        public var hasX2APIC: Bool
        /// CPUID.1:ECX bit 24.
        public var hasTimeStampDeadline: Bool
        /// Of guest-physical addresses: bits of IA32_APIC_BASE above are reserved.
        public var physicalAddressBits: UInt8

        /// A local APIC with all that is there.
        public init(hasX2APIC: Bool = true, hasTimeStampDeadline: Bool = true, physicalAddressBits: UInt8 = 40) {
            precondition(
                physicalAddressBits >= 32 && physicalAddressBits <= 52, "physical addresses have 32 to 52 bits")
            self.hasX2APIC = hasX2APIC
            self.hasTimeStampDeadline = hasTimeStampDeadline
            self.physicalAddressBits = physicalAddressBits
        }
    }

    /// What is saved and restored, beside what has been posted (`inbox`).
    public struct State: Equatable, Sendable {
        /// IA32_APIC_BASE (§11.4.4).
        public internal(set) var base: UInt64
        /// In xAPIC mode.
        public internal(set) var identity: UInt8
        public internal(set) var taskPriority: UInt8 = 0
        public internal(set) var logicalDestination: UInt8 = 0
        public internal(set) var destinationFormat: UInt32 = .max
        public internal(set) var spurious: UInt32 = 0xFF
        /// 256 bits.
        public internal(set) var inService: [UInt32] = Array(repeating: 0, count: 8)
        /// By `LocalVector`.
        public internal(set) var localVectors: [UInt32] = Array(repeating: LocalVector.masked, count: LocalVector.count)
        public internal(set) var command: UInt64 = 0
        /// What the guest reads, and what will be there after its next write (§11.5.3).
        public internal(set) var errors: UInt32 = 0
        public internal(set) var pendingErrors: UInt32 = 0
        public internal(set) var initialCount: UInt32 = 0
        public internal(set) var divider: UInt32 = 0
        /// The virtual time when the count reaches zero next, or nil while it stands at zero.
        public internal(set) var expiry: UInt64?
        /// IA32_TSC_DEADLINE; 0: not armed.
        public internal(set) var timeStampDeadline: UInt64 = 0
    }

    /// What a local APIC asks the fabric for.
    public enum Request: Equatable, Sendable {
        /// Deliver this, but not to the processor `excluding`.
        case send(InterruptMessage, excluding: UInt32?)
        /// A level-triggered interrupt of this vector is served.
        case end(UInt8)
    }

    /// What a processor gets that acknowledges an interrupt.
    public enum Acknowledgement: Equatable, Sendable {
        /// This vector, which is in service now.
        case vector(UInt8)
        /// The 8259 pair has to be asked.
        case external
        /// Nothing waits.
        case none
    }

    /// The registers now.
    public internal(set) var state: State
    /// What other threads post to.
    public let inbox: LAPICInbox
    public let features: Features
    /// Whether this is the processor that boots (IA32_APIC_BASE bit 8).
    public let isBootProcessor: Bool
    let clock: any Clock
    let timeStampRate: TimeStampRate
    /// See `setTimeStampOffset`.
    var timeStampOffset: UInt64 = 0
    private var requests: [Request] = []
    private let fabric: InterruptFabric?

    /// The local APIC that `inbox` leads to. `timeStampRate` is that of the processor's counter, for its deadline mode.
    /// With a `fabric`, requests leave as work.
    public init(
        inbox: LAPICInbox, isBootProcessor: Bool, features: Features = Features(), clock: any Clock,
        timeStampRate: TimeStampRate, fabric: InterruptFabric? = nil
    ) {
        self.inbox = inbox
        self.isBootProcessor = isBootProcessor
        self.features = features
        self.clock = clock
        self.timeStampRate = timeStampRate
        self.fabric = fabric
        state = State(base: 0, identity: UInt8(truncatingIfNeeded: inbox.identity))
        reset()
    }

    /// The page of registers.
    public var windowSize: UInt64 { 0x1000 }

    /// `pendingEvents`, for a board that has no door for them.
    public var interruptLevels: UInt64 { pendingEvents.rawValue }

    /// Power-on (§11.4.7.1).
    public func reset() {
        inbox.clear()
        state = State(
            base: BaseBits.standard | BaseBits.enabled | (isBootProcessor ? BaseBits.bootProcessor : 0),
            identity: UInt8(truncatingIfNeeded: inbox.identity))
        requests = []
        publish()
    }

    /// INIT: all as at power-on but the ID, IA32_APIC_BASE (§11.4.7.3), and a start-up that has come since.
    func initialize() {
        inbox.clear(keeping: [.startUp, .startUpVector])
        state = State(base: state.base, identity: state.identity)
        publish()
    }

    /// As firmware leaves it for a system that begins with the 8259 pair: enabled by software, LINT0 takes external
    /// interrupts and LINT1 is NMI (MP 1.4 §3.6.2.2, "virtual wire"). For boots without firmware.
    public func enterVirtualWireMode() {
        state.spurious |= Spurious.enabled
        state.localVectors[LocalVector.lint0.rawValue] = 0x700
        state.localVectors[LocalVector.lint1.rawValue] = 0x400
        publish()
    }

    /// Asks the fabric for `request`.
    func ask(_ request: Request) { requests.append(request) }

    /// What was asked since the last time: to be performed before the processor goes on, with no lock held.
    public func takeRequests() -> [Request] {
        guard !requests.isEmpty else { return [] }
        defer { requests.removeAll(keepingCapacity: true) }
        return requests
    }

    public func takeWork() -> DeviceWork? {
        guard let fabric, !requests.isEmpty else { return nil }
        let taken = takeRequests()
        return { taken.forEach(fabric.perform) }
    }
}

extension LAPIC {
    /// Bits of IA32_APIC_BASE (§11.4.4, §11.12.1).
    enum BaseBits {
        static var standard: UInt64 { 0xFEE0_0000 }
        static var bootProcessor: UInt64 { 1 << 8 }
        static var x2APIC: UInt64 { 1 << 10 }
        static var enabled: UInt64 { 1 << 11 }
    }

    /// Bits of the spurious vector register (§11.9).
    enum Spurious {
        static var enabled: UInt32 { 1 << 8 }
        static var focus: UInt32 { 1 << 9 }
        static var noBroadcast: UInt32 { 1 << 12 }
    }

    /// Bits of the error status register (§11.5.3).
    enum ErrorStatus {
        static var sentIllegalVector: UInt32 { 1 << 5 }
        static var receivedIllegalVector: UInt32 { 1 << 6 }
        static var illegalRegister: UInt32 { 1 << 7 }
    }

    /// The local vector table (§11.5.1).
    enum LocalVector: Int, CaseIterable {
        case timer, thermal, counters, lint0, lint1, error
        static var count: Int { 6 }
        static var masked: UInt32 { 1 << 16 }
        static var level: UInt32 { 1 << 15 }
        static var remoteRequest: UInt32 { 1 << 14 }

        /// What the guest can write.
        var writable: UInt32 {
            switch self {
            case .timer: 0x7_00FF
            case .thermal, .counters: 0x1_07FF
            case .lint0, .lint1: 0x1_A7FF
            case .error: 0x1_00FF
            }
        }
        /// What it cannot, but may write as it likes: delivery status, and remote IRR of the pins.
        var readOnly: UInt32 { self == .lint0 || self == .lint1 ? 0x5000 : 0x1000 }
    }

    /// The mode that IA32_APIC_BASE says.
    var mode: LAPICInbox.Route.Mode {
        guard state.base & BaseBits.enabled != 0 else { return .off }
        return state.base & BaseBits.x2APIC != 0 ? .x2APIC : .xAPIC
    }

    var isSoftwareEnabled: Bool { state.spurious & Spurious.enabled != 0 }

    func localVector(_ entry: LocalVector) -> UInt32 { state.localVectors[entry.rawValue] }

    /// Tells senders what has become of this local APIC.
    func publish() {
        var route = LAPICInbox.Route()
        route.mode = mode
        route.takesVectors = mode != .off && isSoftwareEnabled
        route.isCluster = state.destinationFormat >> 28 == 0
        route.identity = state.identity
        route.logical = state.logicalDestination
        route.priority = processorPriority
        if route != inbox.route { inbox.publish(route) }
    }
}
