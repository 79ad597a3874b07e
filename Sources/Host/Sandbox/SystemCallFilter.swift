// SPDX-License-Identifier: Apache-2.0

import CHost
import CSeccomp
import Glibc
import SystemPackage

/// A filter of system calls as the kernel runs it: instructions of classic BPF, compiled by libseccomp from rules.
///
/// Names are resolved for the host's own architecture; a call through another one's interface (x32, i386) ends the
/// process.
@safe
struct SystemCallFilter {
    /// The instructions, 8 bytes each.
    let instructions: [UInt8]

    /// Compiles `rules`. A call that none of them matches fails with ENOSYS, so that a newer C library falls back to
    /// what it knows, or ends the process with `kills`.
    ///
    /// A name that this libseccomp or this architecture does not have is left out: what cannot be named stays forbidden.
    init(_ rules: [SystemCallRule], otherwiseKills kills: Bool) throws(HostError) {
        // SAFETY: made here, released below; the rules' conditions are read during the call.
        let fallback = kills ? SystemCallRule.Action.kill : .refuse(.noFunction)
        guard let context = unsafe seccomp_init(fallback.native) else {
            throw HostError("cannot make a filter of system calls")
        }
        defer { unsafe seccomp_release(context) }
        try Self.check(unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SystemCallRule.Action.kill.native))
        // A binary tree of numbers instead of a list: half a dozen comparisons for each call.
        try Self.check(unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        for rule in rules where rule.action != fallback {
            let number = unsafe seccomp_syscall_resolve_name(rule.name)
            guard number >= 0 else { continue }
            let conditions = rule.conditions.map { condition in
                scmp_arg_cmp(
                    arg: condition.argument, op: condition.comparison, datum_a: condition.first,
                    datum_b: condition.second)
            }
            let result = unsafe conditions.withUnsafeBufferPointer { list in
                unsafe seccomp_rule_add_array(
                    context, rule.action.native, number, UInt32(list.count), list.baseAddress)
            }
            if result != 0 {
                throw HostError("cannot filter the system call '\(rule.name)'", Errno(rawValue: -result))
            }
        }
        instructions = try unsafe Self.export(context)
    }

    /// libseccomp writes its result to a descriptor.
    // SAFETY: `context` is libseccomp's, alive.
    private static func export(_ context: scmp_filter_ctx) throws(HostError) -> [UInt8] {
        let number = chost_scratch_file()
        guard number >= 0 else { throw HostError("cannot make a file in memory", Errno(rawValue: -number)) }
        let file = Descriptor(owning: FileDescriptor(rawValue: number))
        try check(unsafe seccomp_export_bpf(context, file.number))
        let size = lseek(file.number, 0, SEEK_CUR)
        var result = [UInt8](repeating: 0, count: max(0, Int(size)))
        // SAFETY: the array's own storage, for the length of the call.
        let count = unsafe result.withUnsafeMutableBytes { unsafe pread(file.number, $0.baseAddress, $0.count, 0) }
        guard count == result.count, count > 0, count % 8 == 0 else {
            throw HostError("cannot read the filter of system calls back")
        }
        return result
    }

    private static func check(_ result: CInt) throws(HostError) {
        if result != 0 { throw HostError("cannot make a filter of system calls", Errno(rawValue: -result)) }
    }

    /// Makes it the filter of threads of `role`.
    func install(for role: ThreadRole) throws(HostError) {
        // SAFETY: the array's own storage, which is copied.
        let error = unsafe instructions.withUnsafeBytes { bytes in
            unsafe chost_set_filter(role.native, bytes.baseAddress, bytes.count / 8)
        }
        if error != 0 { throw HostError("cannot keep the filter of system calls", Errno(rawValue: error)) }
    }
}

extension SystemCallRule.Action {
    /// As libseccomp encodes it (seccomp_init(3)).
    var native: UInt32 {
        switch self {
        case .allow: UInt32(SCMP_ACT_ALLOW)
        case .kill: UInt32(SCMP_ACT_KILL_PROCESS)
        case .refuse(let error): 0x0005_0000 | UInt32(error.rawValue)
        }
    }
}
