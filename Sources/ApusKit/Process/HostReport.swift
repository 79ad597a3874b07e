// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

/// What a host is and what it offers to guests.
public struct HostReport: Codable, Equatable, Sendable {
    /// Whether the kernel's own hypervisor can be used.
    public struct KVM: Codable, Equatable, Sendable {
        public var isUsable: Bool
        /// Why not, and what to do about it; nil where it can.
        public var reason: String?
    }

    /// What runs guests of a platform here.
    public struct Offer: Codable, Equatable, Sendable {
        public var platform: Platform
        /// The first is what `auto` takes.
        public var engines: [Engine]
        public var maximumCPUs: Int
        /// Bytes.
        public var maximumMemory: UInt64
    }

    /// Where the hypervisor stands: hosted by an operating system.
    public var kind: String
    /// The kernel's name and release.
    public var system: String
    public var architecture: String
    /// The processor as it names itself.
    public var processor: String
    /// Cores that this process may run on.
    public var cores: Int
    /// Bytes of RAM, and those that could be used now.
    public var memory: UInt64
    public var availableMemory: UInt64
    public var kvm: KVM
    public var offers: [Offer]

    /// Looks at this host.
    public static func measure() -> HostReport {
        let release = text("/proc/sys/kernel/osrelease")
        let memory = fields("/proc/meminfo")
        return HostReport(
            kind: "type 2 (hosted)", system: "Linux \(release)", architecture: architecture,
            processor: fields("/proc/cpuinfo")["model name"] ?? "unknown",
            cores: cores, memory: kibibytes(memory["MemTotal"]), availableMemory: kibibytes(memory["MemAvailable"]),
            kvm: kvm,
            offers: Platform.allCases.map {
                Offer(
                    platform: $0, engines: $0.engines, maximumCPUs: $0.cpuRange.upperBound,
                    maximumMemory: $0.memoryRange.upperBound)
            })
    }

    /// For a terminal.
    public var text: String {
        var rows = [
            ["hypervisor", "\(kind) on \(system), \(architecture)"],
            ["processor", processor],
            ["cores", "\(cores)"],
            ["memory", "\(memory >> 20) MiB, \(availableMemory >> 20) MiB available"],
            ["kvm", kvm.isUsable ? "can be opened; no engine here uses it yet" : kvm.reason ?? "no"],
        ]
        for offer in offers {
            let engines = offer.engines.map(\.rawValue).joined(separator: ", ")
            rows.append([
                offer.platform.rawValue,
                "engines \(engines); up to \(offer.maximumCPUs) CPUs, \(ByteSize(offer.maximumMemory)) of memory",
            ])
        }
        return TextTable(rows).text
    }

    private static var architecture: String {
        #if arch(x86_64)
        "x86_64"
        #elseif arch(arm64)
        "arm64"
        #else
        "unknown"
        #endif
    }

    /// What the scheduler's affinity mask leaves, as a list of ranges.
    private static var cores: Int {
        let list = fields("/proc/self/status")["Cpus_allowed_list"] ?? ""
        return list.split(separator: ",").reduce(0) { sum, range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, last >= first else { return sum }
            return sum + last - first + 1
        }
    }

    private static var kvm: KVM {
        do {
            _ = try Descriptor.open("/dev/kvm", .readWrite)
            return KVM(isUsable: true)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory:
                return KVM(
                    isUsable: false,
                    reason:
                        "there is no /dev/kvm: load the kvm module, or switch hardware virtualization on below this host"
                )
            case .permissionDenied:
                return KVM(
                    isUsable: false, reason: "/dev/kvm may not be opened: add this user to the group that owns it")
            default: return KVM(isUsable: false, reason: error.description)
            }
        }
    }

    private static func text(_ path: FilePath) -> String {
        let whole = (try? TextFile.read(path, limit: 4096)) ?? ""
        return String(whole.prefix { $0 != "\n" })
    }

    /// `name: value` lines of a file under /proc; the first of each name.
    private static func fields(_ path: FilePath) -> [String: String] {
        let lines = ((try? TextFile.read(path, limit: 64 << 10)) ?? "").split(separator: "\n")
        let pairs = lines.compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (trimmed(line[..<colon]), trimmed(line[line.index(after: colon)...]))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    private static func kibibytes(_ field: String?) -> UInt64 {
        UInt64(field?.prefix { $0.isNumber } ?? "").map { $0 << 10 } ?? 0
    }
}
