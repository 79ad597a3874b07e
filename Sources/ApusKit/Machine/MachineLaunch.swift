// SPDX-License-Identifier: Apache-2.0

/// What a machine's process is told first, by the process that started it: the first line on its owner's connection.
public struct MachineLaunch: Codable, Sendable {
    /// Where the process's log goes, and how much of it.
    public struct Log: Codable, Sendable {
        public var level: String
        /// The file's path; nil for stderr.
        public var file: String?

        public init(level: String = "warning", file: String? = nil) {
            self.level = level
            self.file = file
        }
    }

    /// The machine.
    public var configuration: VirtualMachineConfiguration
    /// The guest, as it stands in the registry.
    public var record: GuestRecord
    /// The guest's runtime folder.
    var folder: String
    /// A second control socket, at a place of the user's.
    public var controlPath: String?
    /// The file that keeps what the guest writes to its serial port; nil for none.
    public var consoleLog: String?
    /// The file that says how the last run of a kept guest ended; nil for one that is not kept.
    public var endFile: String?
    public var log = Log()
    /// Whether the standard streams of the starter are served, by descriptor 5.
    var hasRelay = false

    /// A launch of `configuration`, for the guest that `record` describes.
    init(_ configuration: VirtualMachineConfiguration, record: GuestRecord, folder: String) {
        self.configuration = configuration
        self.record = record
        self.folder = folder
    }

    /// The process's descriptors besides the standard three.
    enum Descriptors {
        /// A stream socket: the owner's control connection.
        static let owner: Int32 = 3
        /// The lock of the guest's entry in the registry.
        static let lock: Int32 = 4
        /// A stream socket to the starter, which passes its stdin and stdout on.
        static let relay: Int32 = 5
    }

    /// Bytes of the first line.
    static let longestLine = 1 << 20
}

/// How a `VirtualMachine` appears among the guests of this host, and what its process does besides running it.
public struct LaunchOptions: Sendable {
    /// What the user calls it; another guest of this name must not run.
    public var name: GuestName?
    /// The image that it was made from.
    public var image: String?
    /// It outlives the process that started it: nothing of the starter's is left to it, and its console goes to the log.
    public var isDetached = false
    /// Its configuration and disks are kept under its name.
    public var isKept = false
    /// Where how it ended is written, for one that is kept.
    public var endFile: String?
    /// A second control socket, at this path.
    public var controlPath: String?
    /// The file that keeps what the guest writes to its serial port; nil: a detached guest has one in its runtime folder.
    public var consoleLog: String?
    /// The log of the guest's process.
    public var log = MachineLaunch.Log()

    /// An unnamed guest that ends with its starter.
    public init() {}
}
