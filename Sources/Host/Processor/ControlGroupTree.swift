// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The unified hierarchy of control groups (cgroup v2) as this process sees it, and its own place in it.
///
/// Section names are those of the kernel's Documentation/admin-guide/cgroup-v2.rst.
public struct ControlGroupTree: Sendable {
    /// Guests' groups are called so, with the guest's identifier behind it.
    private static let prefix = "apus-"

    /// Where the hierarchy is mounted.
    let root: FilePath
    /// This process's group, below `root`.
    let own: FilePath
    /// Whether another program manages the groups of root's, so that they are not ours to change.
    let isManaged: Bool

    /// The hierarchy mounted at `root`; the process's group is `own` in it.
    init(root: FilePath, own: String, isManaged: Bool = false) {
        self.root = root
        self.own = root.appending(FilePath(own).components)
        self.isManaged = isManaged
    }

    /// The host's; nil where none is mounted.
    public init?() {
        guard let mounts = try? TextFile.read("/proc/self/mounts", limit: 1 << 20),
            let groups = try? TextFile.read("/proc/self/cgroup", limit: 64 << 10),
            let root = Self.mountPoint(in: mounts), let own = Self.ownGroup(in: groups)
        else { return nil }
        // systemd.io/CGROUP_DELEGATION: below its own units, root's tree has one writer, and that is systemd.
        // SAFETY: a NUL-terminated string for the call; so for all that follow.
        let isManaged = unsafe geteuid() == 0 && access("/run/systemd/system", F_OK) == 0
        self.init(root: root, own: own, isManaged: isManaged)
    }

    /// Where cgroup v2 is mounted, in the form of proc(5), /proc/PID/mounts.
    static func mountPoint(in mounts: String) -> FilePath? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 2, fields[2] == "cgroup2" { return FilePath(String(fields[1])) }
        }
        return nil
    }

    /// The group of hierarchy 0, in the form of cgroups(7), /proc/PID/cgroup.
    static func ownGroup(in groups: String) -> String? {
        let line = groups.split(separator: "\n").first { $0.hasPrefix("0::/") }
        // A group outside of this process's cgroup namespace shows as /.. and cannot be reached.
        guard let line, !line.contains("/..") else { return nil }
        return String(line.dropFirst(3))
    }

    /// Makes a group for the guest called `name`, and moves this process into it.
    public func enter(_ name: String, limits: ProcessorLimits) throws(HostError) -> ControlGroup {
        let parent = try delegated()
        try Self.enable(in: parent)
        let path = parent.appending(Self.prefix + name)
        // SAFETY: see `init`.
        guard unsafe mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
            throw HostError("cannot make the control group '\(path)'", .current)
        }
        do throws(HostError) {
            let group = try ControlGroup(
                path, hasSet: Self.words(in: parent, "cgroup.subtree_control").contains("cpuset"))
            if let error = group.apply(limits) { throw HostError("cannot set up the control group '\(path)'", error) }
            try Self.write("\(getpid())", to: path.appending("cgroup.procs"))
            return group
        } catch {
            Self.remove(path)
            throw error
        }
    }

    /// Removes guests' groups without a process, where this process's own guests would have theirs.
    public func clearStale() {
        for parent in candidates {
            for name in Directory.names(parent) where name.hasPrefix(Self.prefix) {
                Self.remove(parent.appending(name))
            }
        }
    }

    /// Removes a group, unless a process or a group is in it.
    static func remove(_ path: FilePath) {
        // SAFETY: see `init`.
        unsafe _ = rmdir(path.string)
    }

    // MARK: Where guests' groups may be

    /// The own group and those around it that are the user's.
    private var candidates: [FilePath] {
        var paths: [FilePath] = []
        var path = own
        while path.starts(with: root) {
            var status = stat()
            // SAFETY: fills the local.
            guard !isManaged, unsafe stat(path.string, &status) == 0, status.st_uid == geteuid() else { break }
            paths.append(path)
            guard path != root, path.removeLastComponent() else { break }
        }
        return paths
    }

    /// Why a guest can have no group of its own; nil where it can.
    public var obstacle: String? {
        do throws(HostError) {
            _ = try delegated()
            return nil
        } catch {
            return error.description
        }
    }

    /// The first group whose children can have a weight: a group that has processes of its own gives its children no
    /// controllers ("No Internal Process Constraint").
    private func delegated() throws(HostError) -> FilePath {
        guard !isManaged else {
            throw HostError("root's control groups are systemd's to change")
        }
        let candidates = candidates
        guard !candidates.isEmpty else {
            throw HostError("the control group '\(own)' is not delegated to this user")
        }
        var lacksController = true
        for path in candidates where Self.words(in: path, "cgroup.controllers").contains("cpu") {
            lacksController = false
            let isGiven = Self.words(in: path, "cgroup.subtree_control").contains("cpu")
            if isGiven || Self.words(in: path, "cgroup.procs").isEmpty { return path }
        }
        throw HostError(
            lacksController
                ? "no control group of this user's has the cpu controller"
                : "no control group of this user's can give its cpu controller to a guest: they have processes of their own"
        )
    }

    /// Gives the children of `path` the controllers that guests' groups need.
    private static func enable(in path: FilePath) throws(HostError) {
        let file = path.appending("cgroup.subtree_control")
        guard !words(in: path, "cgroup.subtree_control").contains("cpu") else { return }
        try write("+cpu", to: file)
        // One that may be missing: then vCPUs are pinned thread by thread.
        if words(in: path, "cgroup.controllers").contains("cpuset") { try? write("+cpuset", to: file) }
    }

    private static func words(in path: FilePath, _ name: String) -> [Substring] {
        let text = (try? TextFile.read(path.appending(name), limit: 4096)) ?? ""
        return text.split(whereSeparator: \.isWhitespace)
    }

    static func write(_ text: String, to path: FilePath) throws(HostError) {
        // In the kernel's own files nothing is made or cut short; a plain folder stands for them in tests.
        let file = try Descriptor.open(path, .writeOnly, options: .create)
        if case .failed(let error) = file.raw.transmit(ArraySlice((text + "\n").utf8)) {
            throw HostError("cannot write '\(path)'", error)
        }
    }
}
