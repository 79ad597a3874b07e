// SPDX-License-Identifier: Apache-2.0

import Glibc
public import SystemPackage

/// The control group of one guest: its processes and nobody else's. Its files stay open, so that limits can be changed
/// from within a sandbox; who outlives its processes removes it.
public final class ControlGroup: Sendable {
    /// The file in a guest's runtime folder that names its group.
    private static let note = "cgroup"
    /// In microseconds, what the kernel has by default.
    private static let period = 100_000

    public let path: FilePath
    private let weight: FileDescriptor
    private let maximum: FileDescriptor
    /// Nil where the group has no cpuset controller: vCPUs are then pinned thread by thread.
    private let cpus: FileDescriptor?

    init(_ path: FilePath, hasSet: Bool) throws(HostError) {
        self.path = path
        let weight = try Descriptor.open(path.appending("cpu.weight"), .writeOnly, options: .create)
        let maximum = try Descriptor.open(path.appending("cpu.max"), .writeOnly, options: .create)
        cpus =
            try hasSet
            ? Descriptor.open(path.appending("cpuset.cpus"), .writeOnly, options: .create).take() : nil
        self.weight = weight.take()
        self.maximum = maximum.take()
    }

    deinit {
        for file in [weight, maximum, cpus] { try? file?.close() }
    }

    /// Whether the group says where its threads run.
    public var hasCPUs: Bool { cpus != nil }

    /// Gives the group these limits; the errno where the kernel refuses one.
    public func apply(_ limits: ProcessorLimits) -> Errno? {
        // cgroup-v2.rst, "CPU Interface Files": $MAX $PERIOD, in microseconds; the weight is from 1 to 10000.
        let quota = limits.cap.map { "\($0 * Self.period / 100)" } ?? "max"
        return put("\(limits.shares)", weight) ?? put("\(quota) \(Self.period)", maximum)
            // An empty list: what the group around it has.
            ?? cpus.flatMap { put(limits.cpus?.description ?? "", $0) }
    }

    private func put(_ text: String, _ file: FileDescriptor) -> Errno? {
        let bytes = Array((text + "\n").utf8)
        // SAFETY: the array's own storage, for the length of the call.
        let result = retryingInterrupts { unsafe pwrite(file.rawValue, bytes, bytes.count, 0) }
        if case .failure(let error) = result { return error }
        return nil
    }

    /// Leaves the group's name in the guest's runtime folder, for `remove(notedIn:)`.
    public func note(in folder: FilePath) throws(HostError) {
        try ControlGroupTree.write(path.string, to: folder.appending(Self.note))
    }

    /// Removes the group of the guest whose runtime folder is `folder`, if it had one and no process is left in it.
    public static func remove(notedIn folder: FilePath) {
        guard let text = try? TextFile.read(folder.appending(note), limit: 4096) else { return }
        let path = FilePath(String(text.prefix { $0 != "\n" }))
        if !path.isEmpty { ControlGroupTree.remove(path) }
    }
}
