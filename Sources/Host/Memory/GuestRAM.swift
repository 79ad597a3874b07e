// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// Host memory for a guest: zeroed, page-aligned, with an unmapped guard on each side, given back when the object goes.
///
/// Pages come when they are first touched. A size that the host can never back is refused at once, by the kernel's own
/// accounting; what the guest's size promises beyond that is the host's overcommit policy (`vm.overcommit_memory`).
@safe
public final class GuestRAM: Sendable {
    /// What lies behind the memory.
    public enum Backing: Sendable, Equatable {
        /// Private memory with huge pages where the host has them.
        case anonymous
        /// A memory file that another process can map too; no huge pages on many hosts.
        case shared
    }

    /// The size of a huge page, and the alignment of the memory: 2 MiB.
    public static let alignment = 2 << 20

    // SAFETY: `size` mapped bytes from init to deinit; who dereferences it holds this object.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer
    // SAFETY: the whole reservation, guards included; unmapped once, in deinit.
    private nonisolated(unsafe) let reservation: UnsafeMutableRawPointer
    private let reserved: Int
    /// The memory file, for another process to map; nil for private memory. Closed in deinit.
    public let sharedFile: FileDescriptor?

    /// The size in bytes.
    public let size: UInt64

    /// Maps `size` bytes, a multiple of 4 KiB.
    public init(size: UInt64, backing: Backing = .anonymous) throws(HostError) {
        let shown = "\(size >> 20) MiB of guest memory"
        guard size > 0, size & 4095 == 0, let length = Int(exactly: size), length < 1 << 46 else {
            throw HostError(
                "cannot map \(size) bytes of guest memory", remedy: "choose a multiple of 4 KiB below 64 TiB")
        }
        self.size = size
        // -1 for private memory; owned by this object once it is whole.
        let descriptor = backing == .shared ? try Self.memoryFile(size, shown) : -1
        sharedFile = descriptor < 0 ? nil : FileDescriptor(rawValue: descriptor)
        var isWhole = false
        defer { if !isWhole, descriptor >= 0 { close(descriptor) } }

        // Address space for the memory, its alignment and a guard on each side, which no access may touch.
        reserved = length + 2 * Self.alignment
        // SAFETY: a new mapping where the kernel likes; touches nothing of ours.
        let space = unsafe mmap(nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe space != MAP_FAILED, let space = unsafe space else {
            throw HostError("cannot reserve addresses for \(shown)", .current, remedy: "choose less memory")
        }
        // SAFETY: rounded up within the reservation, which has two alignments to spare: a guard of at least a page
        // remains below (the address is moved by 1 page to 2 MiB) and above.
        let address = (UInt(bitPattern: space) + 4096 + UInt(Self.alignment) - 1) & ~(UInt(Self.alignment) - 1)
        let target = unsafe space + Int(address - UInt(bitPattern: space))
        let kind = backing == .shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS
        // SAFETY: replaces a part of the reservation just made.
        let mapped = unsafe mmap(target, length, PROT_READ | PROT_WRITE, kind | MAP_FIXED, descriptor, 0)
        guard unsafe mapped != MAP_FAILED else {
            let error = Errno.current
            unsafe munmap(space, reserved)
            throw HostError("cannot map \(shown)", error, remedy: "choose less than the host has free")
        }
        unsafe start = target
        unsafe reservation = space
        // SAFETY: advice about our own mapping; a host without huge pages answers EINVAL and loses nothing. A core dump
        // of the VMM neither leaks the guest nor fills the disk.
        if backing == .anonymous { unsafe _ = madvise(target, length, MADV_HUGEPAGE) }
        unsafe _ = madvise(target, length, MADV_DONTDUMP)
        if backing == .anonymous { unsafe chost_name_memory(target, length, "guest memory") }
        isWhole = true
    }

    deinit {
        // SAFETY: our own reservation, unmapped once; whoever used the memory held this object.
        unsafe munmap(reservation, reserved)
        try? sharedFile?.close()
    }

    /// The first byte; `size` bytes from here are good while this object lives.
    public var base: UnsafeMutableRawPointer { unsafe start }  // SAFETY: handed on, not dereferenced.

    /// Gives the pages of `range` back to the host; they read as zero afterwards. Whole pages only.
    public func release(_ range: Range<UInt64>) throws(HostError) {
        precondition(range.upperBound <= size, "only pages of this memory are released")
        precondition((range.lowerBound | range.upperBound) & 4095 == 0, "whole pages are released")
        guard !range.isEmpty else { return }
        // SAFETY: within the mapping, checked above. MADV_REMOVE punches the file, DONTNEED drops private pages.
        let result = unsafe madvise(
            start + Int(range.lowerBound), range.count, sharedFile == nil ? MADV_DONTNEED : MADV_REMOVE)
        if result != 0 { throw HostError("cannot give guest memory back to the host", .current) }
    }

    /// Lets the host back whole pages of `range` by huge pages, or keeps it from doing so; false where it cannot be told.
    /// Shared memory has no huge pages to begin with.
    @discardableResult
    public func allowHugePages(in range: Range<UInt64>, _ allowed: Bool) -> Bool {
        precondition(range.upperBound <= size, "only pages of this memory are advised on")
        precondition((range.lowerBound | range.upperBound) & 4095 == 0, "whole pages are advised on")
        guard sharedFile == nil, !range.isEmpty else { return true }
        // SAFETY: advice about our own mapping, within it.
        let result = unsafe madvise(
            start + Int(range.lowerBound), range.count, allowed ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
        // A host without huge pages answers EINVAL, and there is nothing to keep it from.
        return result == 0 || Errno.current == .invalidArgument
    }

    private static func memoryFile(_ size: UInt64, _ shown: String) throws(HostError) -> CInt {
        let number = chost_memory_file(size)
        guard number >= 0 else {
            throw HostError("cannot make a memory file for \(shown)", Errno(rawValue: -number))
        }
        return number
    }
}
