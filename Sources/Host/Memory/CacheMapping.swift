// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
import SystemPackage

/// Zeroed private memory for a cache of the VMM's, in a mapping of its own with a guard page on each side: what it costs
/// shows in `/proc/PID/smaps` at its address, and under its name where the kernel keeps names.
@safe
public final class CacheMapping: Sendable {
    // SAFETY: `size` mapped bytes from init to deinit; who dereferences it holds this object.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer
    /// The size in bytes: whole pages.
    public let size: Int
    /// What it is for.
    public let name: String

    private static var guardSize: Int { 4096 }

    /// Maps at least `size` bytes called `name`: printable ASCII, no brackets.
    public init(size: Int, name: String) throws(HostError) {
        precondition(size > 0 && size < 1 << 46, "a cache has a size that can be mapped")
        let whole = (size + 4095) & ~4095
        // SAFETY: a new mapping where the kernel likes; then a part of it is made accessible.
        let space = unsafe mmap(
            nil, whole + 2 * Self.guardSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe space != MAP_FAILED, let space = unsafe space else {
            throw HostError("cannot map \(whole >> 10) KiB for \(name)", .current, remedy: "run fewer machines")
        }
        unsafe start = space + Self.guardSize
        self.size = whole
        self.name = name
        guard unsafe mprotect(start, whole, PROT_READ | PROT_WRITE) == 0 else {
            let error = Errno.current
            unsafe munmap(space, whole + 2 * Self.guardSize)
            throw HostError("cannot map \(whole >> 10) KiB for \(name)", error, remedy: "run fewer machines")
        }
        unsafe _ = madvise(start, whole, MADV_DONTDUMP)
        unsafe chost_name_memory(start, whole, name)
    }

    deinit {
        // SAFETY: our own mapping, guards included, unmapped once.
        unsafe munmap(start - Self.guardSize, size + 2 * Self.guardSize)
    }

    /// The first byte; `size` bytes from here are good while this object lives.
    public var base: UnsafeMutableRawPointer { unsafe start }  // SAFETY: handed on, not dereferenced.
}
