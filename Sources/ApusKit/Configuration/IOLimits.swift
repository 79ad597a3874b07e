// SPDX-License-Identifier: Apache-2.0

/// How much a disk or a network card may move. A limit of bytes and one of operations hold together; what is left out is
/// not limited. A disk counts reads and writes together, a card each direction by itself.
public struct IOLimits: Sendable, Equatable, Codable {
    /// What an operation is called where the limit stands.
    public enum Subject: Sendable {
        /// Requests: `iops`.
        case disk
        /// Frames: `pps`.
        case network

        /// The word for operations a second.
        var operations: String { self == .disk ? "iops" : "pps" }
    }

    /// Bytes a second.
    public var bytesPerSecond: UInt64?
    /// Bytes that may go at once after a rest; nil: what a tenth of a second brings.
    public var bytesBurst: UInt64?
    /// Requests or frames a second.
    public var operationsPerSecond: UInt64?
    /// Requests or frames that may go at once after a rest; nil: what a tenth of a second brings.
    public var operationsBurst: UInt64?

    /// Limits of what is given.
    public init(
        bytesPerSecond: UInt64? = nil, bytesBurst: UInt64? = nil, operationsPerSecond: UInt64? = nil,
        operationsBurst: UInt64? = nil
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.bytesBurst = bytesBurst
        self.operationsPerSecond = operationsPerSecond
        self.operationsBurst = operationsBurst
    }

    /// Whether nothing is limited.
    public var isNone: Bool { self == IOLimits() }

    /// Limits as the command line writes them: `bps=10M,burst=20M,iops=500,iops-burst=50` (`pps`, `pps-burst` of a
    /// network), or `none`.
    public init(parsing text: String, for subject: Subject) throws(VirtualMachineError) {
        self.init()
        guard text != "none" else { return }
        var words = OptionWords(text, separator: ",")
        while let word = words.next() {
            let (key, value) = OptionWords.pair(word)
            guard let value, try take(key, value, for: subject) else {
                throw VirtualMachineError(
                    .configuration, "limit '\(word)' is not known; valid are none and \(Self.words(subject))")
            }
        }
        try validate(for: subject)
    }

    /// The words that `take` knows, for a sentence.
    static func words(_ subject: Subject) -> String {
        "bps=BYTES, burst=BYTES, \(subject.operations)=N and \(subject.operations)-burst=N"
    }

    /// Takes `key=value` if it is a limit of `subject`.
    mutating func take(
        _ key: String, _ value: String, for subject: Subject
    ) throws(VirtualMachineError) -> Bool {
        switch key {
        case "bps": bytesPerSecond = try Self.amount(key, ByteSize(parsing: value).bytes)
        case "burst": bytesBurst = try Self.amount(key, ByteSize(parsing: value).bytes)
        case subject.operations: operationsPerSecond = try Self.count(key, value)
        case subject.operations + "-burst": operationsBurst = try Self.count(key, value)
        default: return false
        }
        return true
    }

    private static func count(_ key: String, _ value: String) throws(VirtualMachineError) -> UInt64 {
        guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(value) else {
            throw VirtualMachineError(.configuration, "limit \(key)=\(value) is not a whole number, such as 500")
        }
        return try amount(key, number)
    }

    private static func amount(_ key: String, _ value: UInt64) throws(VirtualMachineError) -> UInt64 {
        guard value > 0 else {
            throw VirtualMachineError(
                .configuration, "limit \(key)=0 would hold everything for ever; leave it out for no limit")
        }
        return value
    }

    /// Checks the limits of `subject` against each other.
    func validate(for subject: Subject) throws(VirtualMachineError) {
        let name = subject.operations
        for (rate, burst, names) in [
            (bytesPerSecond, bytesBurst, ("bps", "burst")),
            (operationsPerSecond, operationsBurst, (name, name + "-burst")),
        ] {
            if let rate { _ = try Self.amount(names.0, rate) }
            guard let burst else { continue }
            _ = try Self.amount(names.1, burst)
            guard rate != nil else {
                throw VirtualMachineError(
                    .configuration, "limit \(names.1)=\(burst) needs a rate beside it: \(names.0)=N")
            }
        }
    }

    /// What `init(parsing:for:)` reads.
    public func text(for subject: Subject) -> String {
        let name = subject.operations
        let words = [
            bytesPerSecond.map { "bps=\(ByteSize($0))" }, bytesBurst.map { "burst=\(ByteSize($0))" },
            operationsPerSecond.map { "\(name)=\($0)" }, operationsBurst.map { "\(name)-burst=\($0)" },
        ].compactMap(\.self)
        return words.isEmpty ? "none" : words.joined(separator: ",")
    }
}

/// Limits for one of a machine's disks or network cards.
public struct DeviceLimits: Sendable, Equatable, Codable {
    /// Its number, from 0, as the configuration counts its kind.
    public var device: Int
    public var limits: IOLimits

    /// `limits` for device `device`.
    public init(device: Int, limits: IOLimits) { (self.device, self.limits) = (device, limits) }

    /// `NUMBER,LIMITS`, such as `0,bps=10M` or `0,none`.
    public init(parsing text: String, for subject: IOLimits.Subject) throws(VirtualMachineError) {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let device = Int(parts[0])
        else {
            throw VirtualMachineError(
                .configuration, "limit '\(text)' names no device; write NUMBER,LIMIT, such as 0,bps=10M or 0,none")
        }
        self.init(device: device, limits: try IOLimits(parsing: String(parts[1]), for: subject))
    }
}

extension MachineSettings {
    /// Checks the limits against a machine of so many disks and network cards.
    func validateLimits(diskCount: Int, networkCount: Int) throws(VirtualMachineError) {
        try validate()
        for (changes, count, what) in [(diskLimits, diskCount, "disk"), (networkLimits, networkCount, "network card")] {
            for change in changes ?? [] where !(0..<count).contains(change.device) {
                let range = count == 0 ? "has none" : count == 1 ? "has number 0 alone" : "has 0 to \(count - 1)"
                throw VirtualMachineError(
                    .configuration, "there is no \(what) \(change.device): the machine \(range)")
            }
        }
    }
}
