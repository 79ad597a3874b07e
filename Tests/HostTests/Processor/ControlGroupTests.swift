// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
@testable import Host
import SystemPackage
import Testing

/// A plain folder that stands for a hierarchy of control groups. The kernel's own rules are not in it.
final class FolderHierarchy {
    let root: FilePath

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/apus-cgroup-XXXXXX").utf8CString)
        root = FilePath(String(cString: try #require(mkdtemp(&template))))
    }

    deinit { try? FileManager.default.removeItem(atPath: root.string) }

    /// Makes the group `path`.
    func make(_ path: String, controllers: String = "cpuset cpu memory", enabled: String = "") throws {
        try FileManager.default.createDirectory(
            atPath: root.string + path, withIntermediateDirectories: true)
        try put(path + "/cgroup.controllers", controllers)
        try put(path + "/cgroup.subtree_control", enabled)
    }

    func put(_ path: String, _ text: String) throws {
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: root.string + path))
    }

    /// The first line of a file: a plain file keeps what a shorter value does not overwrite.
    func line(_ path: String) throws -> String {
        let text = try String(contentsOfFile: root.string + path, encoding: .utf8)
        return String(text.prefix { $0 != "\n" })
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.string + path) }

    func tree(_ own: String) -> ControlGroupTree { ControlGroupTree(root: root, own: own) }
}

@Suite struct ControlGroupTests {
    private let limits = ProcessorLimits(shares: 300, cap: 25, cpus: CPUSet([0, 2, 3]))

    @Test("a guest gets a group beside its starter's, with its limits and its process")
    func enter() throws {
        let host = try FolderHierarchy()
        try host.make("/user", enabled: "cpuset cpu")
        try host.make("/user/shell", controllers: "")
        let group = try host.tree("/user/shell").enter("0123456789ab", limits: limits)
        #expect(group.path == host.root.appending("user/apus-0123456789ab"))
        #expect(try host.line("/user/apus-0123456789ab/cpu.weight") == "300")
        #expect(try host.line("/user/apus-0123456789ab/cpu.max") == "25000 100000")
        #expect(try host.line("/user/apus-0123456789ab/cpuset.cpus") == "0,2-3")
        #expect(try host.line("/user/apus-0123456789ab/cgroup.procs") == "\(getpid())")
    }

    @Test("controllers that the group around has are given on")
    func enable() throws {
        let host = try FolderHierarchy()
        try host.make("/service", controllers: "cpu memory")
        let group = try host.tree("/service").enter("a", limits: limits)
        #expect(try host.line("/service/cgroup.subtree_control") == "+cpu")
        #expect(!group.hasCPUs)
        #expect(!host.exists("/service/apus-a/cpuset.cpus"))
    }

    @Test("limits change through the open files, with no path asked for")
    func live() throws {
        let host = try FolderHierarchy()
        try host.make("/g", enabled: "cpu cpuset")
        let group = try host.tree("/g").enter("a", limits: limits)
        try FileManager.default.moveItem(atPath: host.root.string + "/g", toPath: host.root.string + "/moved")
        #expect(group.apply(ProcessorLimits(shares: 7)) == nil)
        #expect(try host.line("/moved/apus-a/cpu.weight") == "7")
        #expect(try host.line("/moved/apus-a/cpu.max") == "max 100000")
        #expect(try host.line("/moved/apus-a/cpuset.cpus") == "")
    }

    @Test("a hierarchy without the cpu controller is told apart from one without delegation")
    func unavailable() throws {
        let host = try FolderHierarchy()
        try host.make("/g", controllers: "memory pids")
        let error = #expect(throws: HostError.self) { try host.tree("/g").enter("a", limits: limits) }
        #expect(error?.description == "no control group of this user's has the cpu controller")
        #expect(!host.exists("/g/apus-a"))
        let managed = ControlGroupTree(root: host.root, own: "/g", isManaged: true)
        #expect(throws: HostError.self) { try managed.enter("a", limits: limits) }
    }

    @Test("groups without processes are cleared, and others' are left")
    func clear() throws {
        let host = try FolderHierarchy()
        try host.make("/user/shell")
        for name in ["apus-dead", "apus-live", "other"] {
            try FileManager.default.createDirectory(
                atPath: host.root.string + "/user/" + name, withIntermediateDirectories: true)
        }
        // What keeps a real group from being removed is a process; here, a file.
        try host.put("/user/apus-live/cgroup.procs", "1")
        host.tree("/user/shell").clearStale()
        #expect(!host.exists("/user/apus-dead"))
        #expect(host.exists("/user/apus-live"))
        #expect(host.exists("/user/other"))
    }

    @Test("who finds a guest's runtime folder removes its group")
    func noted() throws {
        let host = try FolderHierarchy()
        try host.make("/g", enabled: "cpu")
        let group = try host.tree("/g").enter("a", limits: limits)
        try host.make("/runtime")
        try group.note(in: host.root.appending("runtime"))
        for file in ["cpu.weight", "cpu.max", "cgroup.procs"] {
            try FileManager.default.removeItem(atPath: host.root.string + "/g/apus-a/" + file)
        }
        ControlGroup.remove(notedIn: host.root.appending("runtime"))
        #expect(!host.exists("/g/apus-a"))
    }

    @Test(
        "the own group is that of hierarchy 0",
        arguments: [
            ("5:cpu:/a\n0::/user.slice/b.scope\n", "/user.slice/b.scope"), ("0::/\n", "/"), ("1:name=systemd:/\n", nil),
            ("0::/../outside\n", nil), ("", nil),
        ] as [(String, String?)])
    func ownGroup(text: String, group: String?) { #expect(ControlGroupTree.ownGroup(in: text) == group) }

    @Test("the unified hierarchy is found beside version 1")
    func mountPoint() {
        let mounts = """
            cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
            """
        #expect(ControlGroupTree.mountPoint(in: mounts) == "/sys/fs/cgroup/unified")
        #expect(ControlGroupTree.mountPoint(in: "proc /proc proc rw 0 0\n") == nil)
    }
}

@Suite struct ControlGroupLimitsTests {
    @Test("the least of all groups around counts, and caches count as free")
    func unified() throws {
        let host = try FolderHierarchy()
        try host.make("/a/b")
        try host.put("/a/cpu.max", "150000 100000")
        try host.put("/a/b/cpu.max", "max 100000")
        try host.put("/a/memory.max", "1000000")
        try host.put("/a/memory.current", "700000")
        try host.put("/a/memory.stat", "anon 1\ninactive_file 200000\n")
        try host.put("/a/b/memory.max", "max")
        let limits = ControlGroupLimits.measure(
            groups: "0::/a/b\n", mounts: "none \(host.root) cgroup2 rw 0 0\n")
        #expect(limits == ControlGroupLimits(cpus: 2, memory: 1_000_000, availableMemory: 500_000))
    }

    @Test("version 1 is understood, whose path may lead nowhere in a container")
    func version1() throws {
        let host = try FolderHierarchy()
        try host.put("/memory.limit_in_bytes", "4096")
        try host.put("/memory.usage_in_bytes", "5000")
        try host.put("/memory.stat", "total_inactive_file 0\n")
        let limits = ControlGroupLimits.measure(
            groups: "4:memory:/docker/abc\n", mounts: "none \(host.root) cgroup rw,relatime,memory 0 0\n")
        #expect(limits == ControlGroupLimits(cpus: nil, memory: 4096, availableMemory: 0))
    }

    @Test("no limit is none")
    func none() throws {
        let host = try FolderHierarchy()
        try host.put("/memory.limit_in_bytes", "9223372036854771712")
        let limits = ControlGroupLimits.measure(
            groups: "4:memory:/\n0::/\n", mounts: "none \(host.root) cgroup rw,relatime,memory 0 0\n")
        #expect(limits == ControlGroupLimits())
    }
}
