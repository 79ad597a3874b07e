// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Which system calls the threads of a confined process may make. What stands in no list fails with ENOSYS.
///
/// Arguments are compared where a call does more than what is wanted of it. Pointers cannot be followed by a filter, so
/// calls whose danger lies behind one (`clone3`, `openat`) are not allowed at all.
enum SystemCallTable {
    /// The rules for a VM's process, by role. A service thread may do all that the others may: they begin as its
    /// children, and a filter can only be narrowed.
    static func machine(_ role: ThreadRole) -> [SystemCallRule] {
        let own: [SystemCallRule] =
            switch role {
            case .service: service + vcpu + disk + seals
            case .vcpu: vcpu
            case .disk: disk
            }
        return everyThread + own + noFiles + noSockets + intrusion + (role == .service ? [noProcess] : [.kill("clone")])
    }

    /// The rules for the network child, whose threads are all alike.
    static var network: [SystemCallRule] {
        everyThread + descriptors + internet + resolverFile + noFolders + intrusion + [noProcess]
    }

    // MARK: What a thread needs to live

    private static let everyThread: [SystemCallRule] =
        SystemCallRule.allow([
            // Waiting and waking.
            "futex", "sched_yield", "restart_syscall", "nanosleep", "clock_nanosleep", "rt_sigsuspend",
            // Time, where the vDSO does not answer.
            "clock_gettime", "clock_getres", "gettimeofday", "time",
            // Memory that is data.
            "brk", "munmap", "mremap", "madvise",
            // Itself.
            "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "sched_getaffinity", "getcpu", "getrandom",
            "getrusage", "sysinfo", "uname", "rseq", "set_robust_list", "exit", "exit_group",
            // A crash of its own.
            "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
            // What is open already.
            "read", "write", "readv", "writev", "close",
        ]) + [
            .allow("mmap", .argument(2, masked: UInt64(PROT_EXEC), is: 0)),
            .allow("mprotect", .argument(2, masked: UInt64(PROT_EXEC), is: 0)),
            .kill("mmap", .argument(2, masked: UInt64(PROT_EXEC), is: UInt64(PROT_EXEC))),
            .kill("mprotect", .argument(2, masked: UInt64(PROT_EXEC), is: UInt64(PROT_EXEC))),
            // raise(3) and abort(3); another process is never told anything.
            .allow("kill", .argument(0, is: own)),
            .allow("tgkill", .argument(0, is: own)),
            .kill("kill", .argument(0, isNot: own)),
            .kill("tgkill", .argument(0, isNot: own)),
            // A thread's name; the name of a mapping, which newer C libraries give to their arenas (prctl(2)).
            .allow("prctl", .argument(0, isInt: 15)),
            .allow("prctl", .argument(0, isInt: 0x5356_4D41)),
            // Reads a limit of its own; sets none.
            .allow("prlimit64", .argument(0, isInt: 0), .argument(2, is: 0)),
        ]

    /// The process's number: rules are made in the process that they bind.
    private static var own: UInt64 { UInt64(getpid()) }

    /// CLONE_THREAD (clone(2)): what it makes is a thread of this process.
    private static let threadFlag: UInt64 = 0x0001_0000

    /// What is no thread would be another process.
    private static let noProcess = SystemCallRule.kill("clone", .argument(0, masked: threadFlag, is: 0))

    // MARK: A VM's process

    private static let vcpu: [SystemCallRule] =
        SystemCallRule.allow([
            // Frames to the network child or a tap, and what came back.
            "sendto", "recvfrom",
            // A device that has room again asks its loop to watch.
            "epoll_ctl",
        ]) + [
            // A vCPU goes to the CPUs that it may run on: itself, and no other thread.
            .allow("sched_setaffinity", .argument(0, isInt: 0))
        ]

    private static let disk: [SystemCallRule] =
        SystemCallRule.allow([
            "pread64", "pwrite64", "preadv", "pwritev", "fdatasync", "fsync", "fallocate",
            // A device that has room again asks its loop to watch.
            "epoll_ctl",
        ])

    private static let service: [SystemCallRule] =
        descriptors
        + SystemCallRule.allow([
            "accept4", "getsockopt", "setsockopt", "getsockname", "shutdown", "sendmsg", "recvmsg", "sendto",
            "recvfrom",
            // A descriptor's place in its file, and its size: logs that turn over in place.
            "lseek", "ftruncate", "pread64", "pwrite64", "flock",
            // A child that has ended.
            "wait4", "waitid",
        ]) + terminal

    /// Waiting for descriptors, and starting threads.
    private static let descriptors: [SystemCallRule] =
        SystemCallRule.allow([
            "poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2",
            "timerfd_create", "timerfd_settime", "timerfd_gettime", "pipe2", "dup", "dup3", "membarrier",
        ]) + [
            // A thread of the runtime's pool sets its own priority, nobody else's.
            .allow("setpriority", .argument(0, isInt: UInt64(PRIO_PROCESS.rawValue)), .argument(1, isInt: 0)),
            // A thread of this process and nothing else: pthread_create(3)'s flags, no namespace. Those of clone3 lie in
            // memory, where no filter sees them; the C library falls back.
            .allow("clone", .argument(0, masked: cloneMask, is: cloneThread)),
            SystemCallRule(name: "clone3", action: .refuse(.noFunction)),
            // Neither owners nor signals of descriptors (F_SETOWN, F_SETSIG), which would reach other processes.
            .allow("fcntl", .argument(1, isInt: UInt64(F_GETFD))),
            .allow("fcntl", .argument(1, isInt: UInt64(F_SETFD))),
            .allow("fcntl", .argument(1, isInt: UInt64(F_GETFL))),
            .allow("fcntl", .argument(1, isInt: UInt64(F_SETFL))),
            .allow("fcntl", .argument(1, isInt: UInt64(F_DUPFD_CLOEXEC))),
            // Bytes that wait in a socket or pipe.
            .allow("ioctl", .argument(1, isInt: 0x541B)),
            .kill("ioctl", .argument(1, isInt: inputInjection)),
        ]

    /// CLONE_VM, CLONE_SIGHAND and CLONE_THREAD.
    private static let cloneThread: UInt64 = 0x100 | 0x800 | threadFlag
    /// Those, and CLONE_PTRACE, CLONE_VFORK, CLONE_UNTRACED and all CLONE_NEW*, which have to be absent.
    private static let cloneMask: UInt64 = cloneThread | 0x2000 | 0x4000 | 0x80_0000 | 0x7E02_0080

    /// TIOCSTI: puts input into a terminal, as though its user had typed it (ioctl_tty(2)).
    private static let inputInjection: UInt64 = 0x5412

    /// A pseudo-terminal's settings and size: TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP
    /// (ioctl_tty(2)).
    private static let terminal: [SystemCallRule] = [0x5401, 0x5402, 0x5403, 0x5404, 0x5413, 0x5414, 0x540F].map {
        .allow("ioctl", .argument(1, isInt: $0))
    }

    /// A thread that is started later adds its own filter to its creator's; no flag, no listener.
    private static let seals: [SystemCallRule] = [
        .allow("seccomp", .argument(0, isInt: 1), .argument(1, is: 0))
    ]

    // MARK: The network child

    /// Sockets of the two internet protocols; what has none of them cannot be named by `connect` or `bind` either.
    private static let internet: [SystemCallRule] =
        [AF_INET, AF_INET6].flatMap { family in
            [SOCK_STREAM, SOCK_DGRAM].map { kind in
                .allow(
                    "socket", .argument(0, isInt: UInt64(family)),
                    .argument(1, masked: 0xF, is: UInt64(kind.rawValue)))
            }
        }
        + SystemCallRule.allow([
            "bind", "connect", "listen", "accept", "accept4", "shutdown", "getsockname", "getpeername", "getsockopt",
            "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg",
        ]) + [
            // FIONBIO.
            .allow("ioctl", .argument(1, isInt: 0x5421))
        ]
        // A raw socket is what libslirp tries for an echo where the host lets this user send none (ping_group_range).
        + [AF_INET, AF_INET6].map { family in
            SystemCallRule(
                name: "socket", action: .refuse(.permissionDenied),
                conditions: [.argument(0, isInt: UInt64(family)), .argument(1, masked: 0xF, is: rawSocket)])
        } + [
            // To the host's services.
            SystemCallRule(
                name: "socket", action: .refuse(.permissionDenied), conditions: [.argument(0, isInt: UInt64(AF_UNIX))])
        ] + SystemCallRule.refuse(.permissionDenied, ["socketpair"])

    /// SOCK_RAW (socket(2)).
    private static let rawSocket: UInt64 = 3

    /// /etc/resolv.conf anew, where it has changed. Landlock says which files; here: for reading alone.
    private static let resolverFile: [SystemCallRule] =
        [("open", UInt32(1)), ("openat", 2)].flatMap { name, flags -> [SystemCallRule] in
            let writes: [(mask: Int32, value: Int32)] = [
                (O_CREAT, O_CREAT), (O_ACCMODE | O_CREAT, O_WRONLY), (O_ACCMODE | O_CREAT, O_RDWR),
            ]
            return [.allow(name, .argument(flags, masked: UInt64(O_ACCMODE | O_CREAT | O_TRUNC), is: 0))]
                + writes.map { write in
                    SystemCallRule(
                        name: name, action: .refuse(.permissionDenied),
                        conditions: [.argument(flags, masked: UInt64(write.mask), is: UInt64(write.value))])
                }
        } + SystemCallRule.allow(["lseek", "fstat", "stat", "newfstatat"])

    // MARK: What is refused, and what is fatal

    /// Innocent libraries look for files and name services and go on without them.
    private static let noFiles: [SystemCallRule] =
        SystemCallRule.refuse(.permissionDenied, ["open", "openat", "stat", "lstat", "newfstatat", "statx"]) + noFolders

    private static let noFolders: [SystemCallRule] = SystemCallRule.refuse(
        .permissionDenied,
        [
            "creat", "access", "faccessat", "readlink", "readlinkat", "getdents64", "unlink", "unlinkat", "rename",
            "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "mknod",
            "mknodat", "chmod", "fchmod", "fchmodat", "chown", "lchown", "fchown", "fchownat", "truncate", "chdir",
            "fchdir", "statfs", "utimensat", "inotify_add_watch",
        ])

    private static let noSockets: [SystemCallRule] = SystemCallRule.refuse(
        .permissionDenied, ["socket", "socketpair", "connect", "bind", "listen"])

    /// What only an intruder tries, in any thread.
    private static let intrusion: [SystemCallRule] = SystemCallRule.kill([
        // Other programs and processes.
        "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
        "pidfd_send_signal", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
        // Other rights, roots and namespaces.
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
        "capset", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
        "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at", "personality",
        // Wide doors into the kernel.
        "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
        "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
        "reboot", "swapon", "swapoff", "acct", "quotactl", "fanotify_init", "lookup_dcookie", "iopl", "ioperm",
        "modify_ldt", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
        "syslog", "vhangup", "vmsplice", "remap_file_pages", "migrate_pages", "move_pages",
    ])
}
