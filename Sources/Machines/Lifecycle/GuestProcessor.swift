// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What the life of a machine asks of a processor of any architecture: a hart, a processor of the PC.
///
/// Only the thread of its `VCPU`, or whoever parked that, touches one.
protocol GuestProcessor: AnyObject {
    /// Event counts since the processor's reset.
    associatedtype Counters: GuestProcessorCounters
    /// What firmware below the guest keeps of a vCPU, for any thread.
    associatedtype Firmware: Sendable

    /// Its number in the machine.
    var number: Int { get }
    var mailbox: Mailbox { get }
    var programCounter: UInt64 { get }
    /// The ring it runs in, as its architecture's manual says it.
    var ring: String { get }
    /// Instructions retired since its reset.
    var retired: UInt64 { get }
    var counters: Counters { get }
    /// The next run executes one instruction and stops.
    var stepsOnce: Bool { get set }

    /// Whether the vCPU waits to be started, and executes nothing until `bringOnline` says so.
    static func isOffline(_ vcpu: VCPU<Self>) -> Bool
    /// Takes up what another vCPU has left for it; false where that is nothing.
    static func bringOnline(_ vcpu: VCPU<Self>) -> Bool
    /// The vCPU had waited for an interrupt, and its mailbox has news.
    static func hasWoken(_ vcpu: VCPU<Self>)
    /// The guest called what lies below it.
    static func answerCall(_ vcpu: VCPU<Self>)
}

/// Event counts of a processor.
protocol GuestProcessorCounters: Sendable {
    /// Nothing has happened.
    init()
    /// The sum with the counts from before a reset of the processor.
    func adding(_ other: Self) -> Self
    /// By the names that statistics say.
    var named: [(name: String, count: UInt64)] { get }
}
