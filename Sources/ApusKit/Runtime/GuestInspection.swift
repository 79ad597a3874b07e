// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// All that is known of a guest: `apus inspect`.
public struct GuestInspection: Encodable, Sendable {
    /// What is kept under its name.
    public struct Kept: Encodable, Sendable {
        /// The folder with its disks and its `machine.json`.
        public var folder: String
        /// Seconds since 1970.
        public var created: Int64
        public var lastEnd: VirtualMachineEnd?
        /// What its next start takes; relative paths are from the folder.
        public var machine: VirtualMachineConfiguration
    }

    public var state: GuestSummary.State
    /// What it was started with; nil where it does not run.
    public var running: GuestRecord?
    /// What its machine says now; nil where it does not run, or its process does not answer.
    public var status: MachineStatus?
    /// Where it is controlled, while it runs.
    public var controlSocket: String?
    /// Nil for a guest that is gone when it ends.
    public var kept: Kept?
}

extension Guests {
    /// All that is known of the guest called `text`.
    public func inspect(_ text: String) async throws(VirtualMachineError) -> GuestInspection {
        if let record = try? registry.find(text) {
            let guest = Guest(record: record, registry: registry)
            let status = await guest.status()
            return GuestInspection(
                state: GuestSummary(record, status).state, running: record, status: status,
                controlSocket: guest.controlSocket,
                kept: record.isKept ? record.name.flatMap { try? kept($0.rawValue) }.map(describe) : nil)
        }
        guard let name = GuestName(rawValue: text), let found = try store.guest(named: name) else {
            throw try await unknown(text)
        }
        return GuestInspection(state: GuestSummary(found).state, kept: describe(found))
    }

    private func describe(_ guest: KeptGuest) -> GuestInspection.Kept {
        GuestInspection.Kept(
            folder: store.folder(of: guest.name).string, created: guest.created, lastEnd: guest.lastEnd,
            machine: guest.configuration)
    }

    /// No guest is called `text`, running or kept; which are.
    func unknown(_ text: String) async throws(VirtualMachineError) -> VirtualMachineError {
        let known = try registry.list().map(\.title)
        let all = known + store.list().map(\.name.rawValue).filter { !known.contains($0) }
        return VirtualMachineError(
            .state,
            "no guest '\(text)'; " + (all.isEmpty ? "there is none" : "there are \(all.joined(separator: ", "))"))
    }
}
