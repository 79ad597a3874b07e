// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

/// Changing what a guest of this user gets: while it runs, and in its definition where it is kept.
public struct GuestSettings: Sendable {
    private let registry: GuestRegistry
    private let store: GuestStore

    /// For the guests of this user.
    public init() throws(VirtualMachineError) {
        registry = try GuestRegistry()
        store = try GuestStore()
    }

    /// Changes the guest called `name`; what was done, in a sentence.
    ///
    /// Memory that a running guest gets more is taken from what the host has free, under the registry's lock, so that
    /// no two can be promised the same; `overcommits` leaves that out.
    public func set(
        _ settings: MachineSettings, of name: String, overcommits: Bool = false
    ) async throws(VirtualMachineError) -> String {
        guard !settings.isEmpty else {
            throw VirtualMachineError(.configuration, "nothing is to be set; give at least one option")
        }
        try settings.validate()
        let kept = try keptGuest(GuestName(rawValue: name))
        let running = try registry.list().first { $0.title == name || $0.id.rawValue == name }
        guard kept == nil || running != nil else {
            try keep(settings, kept)
            return "set from the next start on"
        }
        let record = if let running { running } else { try registry.find(name) }
        // What its definition cannot take is refused before the guest hears of it.
        if record.isKept { _ = try changed(try keptGuest(record.name), by: settings) }
        try await setLive(settings, record, overcommits)
        if record.isKept { try keep(settings, try keptGuest(record.name)) }
        return record.isKept ? "set, and kept" : "set"
    }

    private func keptGuest(_ name: GuestName?) throws(VirtualMachineError) -> KeptGuest? {
        guard let name else { return nil }
        return try store.guest(named: name)
    }

    private func keep(_ settings: MachineSettings, _ guest: KeptGuest?) throws(VirtualMachineError) {
        if let guest = try changed(guest, by: settings) { try store.replace(guest) }
    }

    /// `guest` with `settings`, checked.
    private func changed(
        _ guest: KeptGuest?, by settings: MachineSettings
    ) throws(VirtualMachineError) -> KeptGuest? {
        guard var guest else { return nil }
        try settings.validateLimits(
            diskCount: guest.configuration.storageDevices.count,
            networkCount: guest.configuration.networkDevices.count)
        settings.apply(to: &guest.configuration)
        try guest.configuration.validate()
        return guest
    }

    private func setLive(
        _ settings: MachineSettings, _ record: GuestRecord, _ overcommits: Bool
    ) async throws(VirtualMachineError) {
        let client = try await ControlClient(path: registry.controlSocket(of: record.id).string)
        defer { client.close() }
        // Promised before the guest is told, and taken back where it cannot have it.
        try registry.update(record.id) { current, others throws(VirtualMachineError) in
            let asked = settings.memory ?? current.memorySize
            if asked > current.memorySize, !overcommits {
                try HostPool.measure(others).admit(
                    memory: asked - current.memorySize, for: "more for guest '\(current.title)'")
            }
            current.take(settings)
        }
        if case .failed(let reason) = try await client.perform(.set(settings: settings)) {
            try registry.update(record.id) { current, _ in current.takeLimits(of: record) }
            throw VirtualMachineError(.guest, reason)
        }
    }
}

extension GuestRegistry {
    /// Changes the record of the running guest `id` by `change`, which hears of all guests that run, while nobody else
    /// can change one.
    func update(
        _ id: GuestIdentifier, _ change: (inout GuestRecord, [GuestRecord]) throws(VirtualMachineError) -> Void
    ) throws(VirtualMachineError) {
        try withGuests { running throws(VirtualMachineError) in
            guard var record = running.first(where: { $0.id == id }) else {
                throw VirtualMachineError(.state, "guest '\(id)' has ended")
            }
            try change(&record, running)
            do throws(HostError) {
                try TextFile.replace(
                    folder(of: id).appending(GuestEntry.recordName), with: JSONText.encode(record), isDurable: false)
            } catch {
                throw VirtualMachineError(error)
            }
        }
    }
}

extension GuestRecord {
    mutating func take(_ settings: MachineSettings) {
        if let shares = settings.cpuShares { cpuShares = shares }
        if let cap = settings.cpuCap { cpuCap = cap.percent }
        if let place = settings.cpuset { cpuSet = place.cpus?.description }
        if let memory = settings.memory { memorySize = memory }
    }

    mutating func takeLimits(of other: GuestRecord) {
        (cpuShares, cpuCap, cpuSet) = (other.cpuShares, other.cpuCap, other.cpuSet)
        memorySize = other.memorySize
    }
}
