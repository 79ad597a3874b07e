// SPDX-License-Identifier: Apache-2.0

/// What the system room executes: `MicroOp.detail`. Operands are as the rows have them: `a` is ModRM.reg, `b` or the
/// memory operand ModRM.rm.
enum SystemOperation: UInt16 {
    // Segment registers: mov to and from, push, pop (the segment is `a`), loads of far pointers (the segment is `immediate`).
    case movToSegment, movFromSegment, pushSegment, popSegment, loadFarPointer
    // Far transfers. Of the direct forms the offset is `displacement` and the selector `immediate`.
    case farJump, farCall, farJumpIndirect, farCallIndirect, farReturn, interruptReturn
    case interrupt, interrupt3, into, interrupt1
    case syscall, sysret, sysenter, sysexit
    // Descriptor tables.
    case sgdt, sidt, lgdt, lidt, sldt, str, lldt, ltr, verr, verw, lar, lsl, arpl
    // Control.
    case smsw, lmsw, clts, movFromControl, movToControl, movFromDebug, movToDebug
    case rdmsr, wrmsr, rdtsc, rdtscp, rdpmc, rdpid, cpuid, xgetbv, xsetbv, rdpkru, wrpkru
    case invlpg, invpcid, invd, wbinvd, swapgs, rdfsbase, rdgsbase, wrfsbase, wrgsbase
    case cli, sti, clac, stac, hlt, monitor, mwait, serialize, vmcall, rsm
    // Ports: b is the accumulator's width, the port an immediate or DX. ins and outs repeat.
    case `in`, out, ins, outs
}
