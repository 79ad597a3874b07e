// SPDX-License-Identifier: Apache-2.0

public import Host
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
    /// Bytes of RAM, and those that could be used now; less where this process is limited.
    public var memory: UInt64
    public var availableMemory: UInt64
    /// Bytes that guests have been given, and bytes that another could be.
    public var allocatedMemory: UInt64
    public var freeMemory: UInt64
    /// vCPUs of all guests.
    public var virtualCPUs: Int
    /// This user's guests that run.
    public var guests: [GuestAllocation]
    /// By what means CPU limits hold, and why it is not the better one.
    public var cpuControl: ProcessorControl.Mechanism
    public var cpuControlReason: String?
    /// What confines a machine's process here.
    public var sandbox: SandboxAbilities
    public var kvm: KVM
    public var offers: [Offer]

    /// Looks at this host and at this user's guests.
    public static func measure() throws(VirtualMachineError) -> HostReport {
        let release = text("/proc/sys/kernel/osrelease")
        let pool = try GuestRegistry().pool()
        let (mechanism, reason) = ProcessorControl.available
        return HostReport(
            kind: "type 2 (hosted)", system: "Linux \(release)", architecture: architecture,
            processor: fields("/proc/cpuinfo")["model name"] ?? "unknown",
            cores: pool.cpus, memory: pool.memory.total, availableMemory: pool.memory.available,
            allocatedMemory: pool.allocatedMemory, freeMemory: pool.freeMemory, virtualCPUs: pool.virtualCPUs,
            guests: pool.guests, cpuControl: mechanism, cpuControlReason: reason, sandbox: .current, kvm: kvm,
            offers: Platform.allCases.filter { !$0.engines.isEmpty }.map {
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
            ["cores", "\(cores), and \(virtualCPUs) vCPUs in use"],
            [
                "memory",
                "\(memory >> 20) MiB, \(allocatedMemory >> 20) MiB given to guests, \(freeMemory >> 20) MiB free for more",
            ],
            ["cpu limits", cpuControlText],
            ["sandbox", "\(sandbox)"],
            ["kvm", kvm.isUsable ? "can be opened; no engine here uses it yet" : kvm.reason ?? "no"],
        ]
        for offer in offers {
            let engines = offer.engines.map(\.rawValue).joined(separator: ", ")
            rows.append([
                offer.platform.rawValue,
                "engines \(engines); up to \(offer.maximumCPUs) CPUs, \(ByteSize(offer.maximumMemory)) of memory",
            ])
        }
        let allocations = guests.map { guest in
            [
                guest.title, "\(guest.cpuCount)", "\(guest.cpuShares)", "\(guest.cpuCap)", "\(guest.cpuset)",
                "\(guest.memory >> 20) MiB", "\(guest.heldMemory >> 20) MiB",
            ]
        }
        let header = ["guest", "vCPUs", "shares", "cap", "cpuset", "memory", "of it in use"]
        return TextTable(rows).text + (guests.isEmpty ? "" : "\n" + TextTable(allocations, header: header).text)
    }

    private var cpuControlText: String {
        switch cpuControl {
        case .controlGroup: "by cgroup v2"
        case .dutyCycle: "by affinity and a duty cycle of the vCPUs (\(cpuControlReason ?? "no cgroup v2"))"
        }
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
}
