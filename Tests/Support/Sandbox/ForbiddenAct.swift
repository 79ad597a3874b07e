// SPDX-License-Identifier: Apache-2.0

/// Something that code which took over a thread would try, as `SandboxProbe` writes it.
public struct ForbiddenAct: Codable, Sendable, CustomStringConvertible {
    /// What it is.
    public let name: String
    /// The system call and its arguments.
    public let call: String
    /// What a refused call answers; nil where the act ends the process.
    public let error: String?

    public var description: String { name }

    /// Whether `line` says that the act was refused.
    public func isRefused(in line: String) -> Bool {
        line.hasSuffix(" \(call.prefix { $0 != " " }) = \(error ?? "")")
    }

    private init(_ name: String, _ call: String, _ error: String? = nil) {
        self.name = name
        self.call = call
        self.error = error
    }

    /// What libraries try in innocence fails.
    public static let filesAndSockets = [
        ForbiddenAct("open a file", #"openat -100 "/etc/passwd" 0"#, denied),
        ForbiddenAct("make a file", #"openat -100 "/tmp/apus-probe" 0x41 0x1b6"#, denied),
        ForbiddenAct("remove a file", #"unlinkat -100 "/tmp/apus-probe" 0"#, denied),
        ForbiddenAct("a unix socket", "socket 1 1 0", denied),
        ForbiddenAct("a socket pair", "socketpair 1 1 0 0", denied),
    ]

    /// What only the process of a machine may not do: its network child may.
    public static let internet = [
        ForbiddenAct("an internet socket", "socket 2 1 0", denied),
        ForbiddenAct("an internet socket of version 6", "socket 10 1 0", denied),
        ForbiddenAct("a packet socket", "socket 17 3 0", denied),
        ForbiddenAct("a netlink socket", "socket 16 3 0", denied),
        ForbiddenAct("connect", #"connect 0 "xxxxxxxxxxxxxxxx" 16"#, denied),
    ]

    /// Sockets that the network child may not make either: of others than the internet protocols, and raw ones.
    public static let otherSockets = [
        ForbiddenAct("a packet socket", "socket 17 3 0", missing),
        ForbiddenAct("a netlink socket", "socket 16 3 0", missing),
        ForbiddenAct("a raw internet socket", "socket 2 3 1", denied),
        ForbiddenAct("a socket of the host's hypervisor", "socket 40 1 0", missing),
    ]

    /// What nobody tries in innocence ends the process.
    public static let fatal =
        [
            ForbiddenAct("execute", #"execve "/bin/true" 0 0"#),
            ForbiddenAct("execute by descriptor", #"execveat 0 "" 0 0 0x1000"#),
            ForbiddenAct("another process", "clone 17 0 0 0 0"),
            ForbiddenAct("trace", "ptrace 16 1 0 0"),
            ForbiddenAct("read another process's memory", "process_vm_readv 1 0 0 0 0 0"),
            ForbiddenAct("write another process's memory", "process_vm_writev 1 0 0 0 0 0"),
            ForbiddenAct("signal another process", "kill 1 0"),
            ForbiddenAct("signal its own group", "kill 0 0"),
            ForbiddenAct("signal another process's thread", "tgkill 1 1 0"),
            ForbiddenAct("queue a signal", "rt_sigqueueinfo 1 0 0"),
            ForbiddenAct("memory that executes", "mmap 0 4096 7 0x22 -1 0"),
            ForbiddenAct("make memory executable", "mprotect 0 4096 5"),
            ForbiddenAct("mount", #"mount "none" "/" "tmpfs" 0 0"#),
            ForbiddenAct("a user namespace", "unshare 0x10000000"),
            ForbiddenAct("enter a namespace", "setns 0 0"),
            ForbiddenAct("another root", #"chroot "/""#),
            ForbiddenAct("be root", "setresuid 0 0 0"),
            ForbiddenAct("take capabilities", "capset 0 0"),
            ForbiddenAct("bpf", "bpf 0 0 0"),
            ForbiddenAct("keys", "keyctl 0 0 0 0 0"),
            ForbiddenAct("performance counters", "perf_event_open 0 0 -1 -1 0"),
            ForbiddenAct("page faults of its own", "userfaultfd 0"),
            ForbiddenAct("an io_uring", "io_uring_setup 8 0"),
            ForbiddenAct("a file by its handle", "open_by_handle_at 0 0 0"),
            ForbiddenAct("a kernel module", #"finit_module 0 "" 0"#),
        ] + foreign

    /// getpid by the interface of x32, another architecture of the same processor (syscalls(2), __X32_SYSCALL_BIT).
    #if arch(x86_64)
    private static let foreign = [ForbiddenAct("a call of another architecture", "1073741863")]
    #else
    private static let foreign: [ForbiddenAct] = []
    #endif

    /// What only some of its arguments make harmful, or what a newer library tries first: not on the list.
    public static let limited = [
        ForbiddenAct("signals from a descriptor", "fcntl 0 8 1", missing),
        ForbiddenAct("be traced and dumped again", "prctl 4 1 0 0 0", missing),
        ForbiddenAct("a filter with a listener", "seccomp 1 8 0", missing),
        ForbiddenAct("a limit of its own", "prlimit64 0 7 1 0", missing),
        ForbiddenAct("a limit of another process", "prlimit64 1 7 0 0", missing),
        ForbiddenAct("a thread whose flags no filter sees", "clone3 0 0", missing),
        ForbiddenAct("a file in memory", #"memfd_create "x" 0"#, missing),
        ForbiddenAct("a descriptor of a process", "pidfd_open 1 0", missing),
        ForbiddenAct("openat2", #"openat2 -100 "/etc/passwd" 0 24"#, missing),
        ForbiddenAct("shared memory of System V", "shmget 0 4096 0x3ff", missing),
        ForbiddenAct("a number that no call has", "1023", missing),
    ]

    private static let denied = "Permission denied"
    private static let missing = "Function not implemented"
}
