// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// Ranges of a file or block device, as the file system sees them. The file's size never changes.
public enum FileRange {
    /// Gives the range back to the file system; it reads as zeroes afterwards. `.notSupported` where it cannot.
    public static func punchHole(_ file: FileDescriptor, offset: UInt64, count: UInt64) -> Errno? {
        allocate(file, CHOST_PUNCH_HOLE, offset, count)
    }

    /// Makes the range read as zeroes and keeps its space. `.notSupported` where it cannot.
    public static func zero(_ file: FileDescriptor, offset: UInt64, count: UInt64) -> Errno? {
        allocate(file, CHOST_ZERO_RANGE, offset, count)
    }

    /// Whether holes can be punched: tried behind the end, where nothing is.
    public static func canPunch(_ file: FileDescriptor, beyond size: UInt64) -> Bool {
        punchHole(file, offset: (size + 4095) & ~4095, count: 4096) == nil
    }

    private static func allocate(
        _ file: FileDescriptor, _ what: chost_allocation, _ offset: UInt64, _ count: UInt64
    ) -> Errno? {
        guard let start = Int64(exactly: offset), let length = Int64(exactly: count) else { return .invalidArgument }
        let result = chost_allocate(file.rawValue, what, start, length)
        return result == 0 ? nil : Errno(rawValue: -result)
    }
}
