// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

/// What is known of a guest that runs: `record.json` in its runtime folder.
///
/// It says what the guest was started with. What changes while it runs is asked of its process.
public struct GuestRecord: Codable, Equatable, Sendable {
    /// A disk of the guest's.
    public struct Disk: Codable, Equatable, Sendable {
        public var path: String
        public var isReadOnly: Bool
        /// A copy that vanishes with the guest.
        public var isThrownAway: Bool

        /// The disk in the file at `path`.
        public init(path: String, isReadOnly: Bool = false, isThrownAway: Bool = false) {
            self.path = path
            self.isReadOnly = isReadOnly
            self.isThrownAway = isThrownAway
        }
    }

    /// Raised when an older Apus could not use the record.
    static let currentVersion = 1

    /// A unix socket that the guest's process made at a place of the user's.
    public struct Socket: Codable, Equatable, Sendable {
        public var path: String
        /// Which file it made there, so that no other one is removed.
        var identity: FileIdentity

        /// What is at `path` now; nil where nothing is.
        init?(path: String) {
            guard let identity = FileIdentity(FilePath(path)) else { return nil }
            (self.path, self.identity) = (path, identity)
        }
    }

    /// The version of the record's meaning.
    public var version = GuestRecord.currentVersion
    /// Given by the registry.
    public var id: GuestIdentifier
    public var name: GuestName?
    /// The process that runs the guest; the one that starts it until there is one.
    public var processID: Int32
    /// When that process was started, in clock ticks since the host's boot (proc(5)).
    public var processStart: UInt64
    public var platform: Platform
    /// The engine that runs, not what was asked for.
    public var engine: Engine
    /// The image that it was made from.
    public var image: String?
    public var cpuCount: Int
    /// Bytes.
    public var memorySize: UInt64
    /// How far the memory may grow, in bytes, where it may.
    public var maximumMemory: UInt64?
    /// Its weight among guests that want the same CPUs.
    public var cpuShares: Int?
    /// Percent of one CPU that it gets at most.
    public var cpuCap: Int?
    /// The host's CPUs that it may run on, as a list of ranges.
    public var cpuSet: String?
    /// Ports of the host that lead to the guest, as `--net`'s `forward` writes them.
    public var ports: [String] = []
    public var disks: [Disk] = []
    /// Seconds since 1970.
    public var created: Int64
    /// It goes on when the one who started it is gone.
    public var isDetached: Bool
    /// Its configuration and disks are kept under its name.
    public var isKept = false
    /// What confines its process, in words; nil before it is confined.
    public var sandbox: String?
    /// The file that keeps what it wrote to its console.
    public var consoleLog: String?
    /// What its process cannot remove once it is confined: who clears the guest does.
    public var sockets: [Socket]?

    /// What `configuration` says of the guest, for the registry to complete.
    public init(
        _ configuration: VirtualMachineConfiguration, name: GuestName? = nil, image: String? = nil, isDetached: Bool
    ) {
        self.init(
            id: .random(), name: name, platform: configuration.platform,
            engine: (try? configuration.chosenEngine()) ?? configuration.engine, image: image,
            cpuCount: configuration.cpuCount, memorySize: configuration.memorySize, isDetached: isDetached)
        maximumMemory = configuration.maximumMemorySize
        cpuShares = configuration.cpuShares
        cpuCap = configuration.cpuCap.percent
        cpuSet = configuration.cpuset.cpus?.description
        for device in configuration.networkDevices {
            guard case .user(let network) = device.attachment else { continue }
            ports += network.forwards.map(\.description)
        }
        disks = configuration.storageDevices.map {
            Disk(path: $0.path, isReadOnly: $0.isReadOnly, isThrownAway: $0.isThrownAway)
        }
    }

    /// The record of a guest that this process starts.
    init(
        id: GuestIdentifier = .random(), name: GuestName? = nil, platform: Platform = .riscv64,
        engine: Engine = .interpreter, image: String? = nil, cpuCount: Int = 1, memorySize: UInt64 = 1 << 30,
        isDetached: Bool = false
    ) {
        self.id = id
        self.name = name
        processID = HostProcess.number
        processStart = HostProcess.startTime(of: HostProcess.number) ?? 0
        self.platform = platform
        self.engine = engine
        self.image = image
        self.cpuCount = cpuCount
        self.memorySize = memorySize
        self.isDetached = isDetached
        created = Int64(MonotonicTime.sinceEpoch / 1_000_000_000)
    }

    /// What people call it: its name, else its identifier.
    public var title: String { name?.rawValue ?? id.rawValue }

    /// Who it is, for a sentence: the name or identifier with the process.
    public var holder: String { "guest '\(title)' (process \(processID))" }

    /// The process from now on is the calling one.
    public mutating func adoptProcess() {
        processID = HostProcess.number
        processStart = HostProcess.startTime(of: processID) ?? 0
    }
}

extension GuestRecord {
    /// Notes the sockets of `launch`, which stand. Before the process is confined: what it says afterwards counts for
    /// less.
    mutating func noteSockets(of launch: MachineLaunch) {
        let here = FilePath(FileManager.default.currentDirectoryPath)
        let ends = [launch.configuration.serialPort?.attachment] + launch.configuration.consoleDevices.map(\.attachment)
        let paths = ends.compactMap { end in
            if case .unixSocket(let path)? = end { path } else { nil }
        }
        sockets = (paths + [launch.controlPath].compactMap(\.self)).compactMap {
            Socket(path: here.pushing(FilePath($0)).string)
        }
    }

    /// Removes the sockets that the guest whose runtime folder is `folder` has left.
    static func clearSockets(in folder: FilePath) {
        guard let text = try? TextFile.read(folder.appending(GuestEntry.recordName), limit: GuestEntry.recordLimit),
            let record = try? JSONDecoder().decode(GuestRecord.self, from: Data(text.utf8))
        else { return }
        for socket in record.sockets ?? [] { ListeningSocket.clear(FilePath(socket.path), socket.identity) }
    }
}

extension PortForward: CustomStringConvertible {
    /// As the command line writes it.
    public var description: String {
        let address = hostAddress == "127.0.0.1" ? "" : "\(hostAddress):"
        return "\(transport.rawValue):\(address)\(hostPort):\(guestPort)"
    }
}
