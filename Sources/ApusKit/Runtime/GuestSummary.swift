// SPDX-License-Identifier: Apache-2.0

import Host

/// A guest in a list: one that runs, or one that is kept and does not.
public struct GuestSummary: Codable, Equatable, Sendable {
    /// Where a guest stands.
    public enum State: String, Codable, Sendable {
        /// Its process opens what it needs.
        case starting
        case running
        case paused
        /// Its machine is over, and its process about to be.
        case ending
        /// Its process lives and does not answer.
        case unresponsive
        /// It is kept, and was never started.
        case created
        /// It is kept, and its last run is over.
        case stopped
        /// It is kept, and the process of its last run was killed.
        case lost
    }

    /// Nil for a guest that does not run.
    public var id: GuestIdentifier?
    public var name: GuestName?
    public var image: String?
    public var state: State
    public var platform: Platform
    public var cpuCount: Int
    /// Bytes.
    public var memorySize: UInt64
    public var ports: [String] = []
    public var processID: Int32?
    /// Seconds since 1970: when a running guest was started, when one that does not run was made.
    public var since: Int64
    /// Its disks and configuration stay when it ends.
    public var isKept: Bool
    /// How the last run of one that does not run ended.
    public var lastEnd: VirtualMachineEnd?

    /// What people call it.
    public var title: String { name?.rawValue ?? id?.rawValue ?? "" }

    init(_ record: GuestRecord, _ status: MachineStatus?) {
        id = record.id
        name = record.name
        image = record.image
        platform = record.platform
        cpuCount = record.cpuCount
        memorySize = record.memorySize
        ports = record.ports
        processID = record.processID
        since = record.created
        isKept = record.isKept
        switch status?.state {
        case .ready: state = .starting
        case .running: state = .running
        case .paused: state = .paused
        case .ended: state = .ending
        case nil: state = .unresponsive
        }
    }

    init(_ guest: KeptGuest) {
        name = guest.name
        image = guest.image
        platform = guest.configuration.platform
        cpuCount = guest.configuration.cpuCount
        memorySize = guest.configuration.memorySize
        since = guest.created
        isKept = true
        lastEnd = guest.lastEnd
        state = guest.lastEnd != nil ? .stopped : guest.hasRun ? .lost : .created
    }

    /// The state for people, with how it came to that.
    public var stateText: String {
        guard state == .stopped, let lastEnd else { return state.rawValue }
        switch lastEnd.reason {
        case .panicked: return "panicked"
        case .failed: return "failed"
        default: return lastEnd.exitStatus == 0 ? "stopped" : "stopped (\(lastEnd.exitStatus))"
        }
    }

    /// A table for a terminal.
    public static func table(_ guests: [GuestSummary]) -> String {
        let now = Int64(MonotonicTime.sinceEpoch / 1_000_000_000)
        return TextTable(
            guests.map { guest in
                [
                    guest.id?.rawValue ?? "-", guest.name?.rawValue ?? "-", guest.image ?? "-", guest.stateText,
                    "\(guest.cpuCount)", "\(ByteSize(guest.memorySize))", age(now - guest.since),
                    guest.ports.isEmpty ? "-" : guest.ports.joined(separator: " "),
                ]
            }, header: ["ID", "NAME", "IMAGE", "STATE", "CPUS", "MEMORY", "AGE", "PORTS"]
        ).text
    }

    /// A length of time in its two largest units.
    static func age(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m\(seconds % 60)s"
        case ..<86400: return "\(seconds / 3600)h\(seconds / 60 % 60)m"
        default: return "\(seconds / 86400)d\(seconds / 3600 % 24)h"
        }
    }
}
