// SPDX-License-Identifier: Apache-2.0

import CHost
public import SystemPackage

/// A tap interface: reads and writes are Ethernet frames. It does not block.
public final class TapDevice: Sendable {
    /// The interface's name, as the kernel has it.
    public let name: String
    /// One frame a read or write.
    public let descriptor: FileDescriptor

    /// Opens the interface `name`, of at most 15 bytes, making it where it does not exist.
    public init(_ name: String) throws(HostError) {
        guard (1...15).contains(name.utf8.count) else {
            throw HostError("'\(name)' is no name for an interface", remedy: "use 1 to 15 bytes")
        }
        var buffer = [CChar](repeating: 0, count: 16)
        for (index, byte) in name.utf8.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        // SAFETY: 16 bytes, the last of them NUL.
        let number = unsafe chost_tap_open(&buffer)
        guard number >= 0 else {
            let error = Errno(rawValue: -number)
            let remedy: String? =
                switch error {
                case .notPermitted, .permissionDenied:
                    "make it for this user as root: ip tuntap add dev \(name) mode tap user NAME"
                case .noSuchFileOrDirectory: "load the kernel's module: modprobe tun"
                case .resourceBusy: "another program has it open: choose another"
                default: nil
                }
            throw HostError("cannot open the tap interface '\(name)'", error, remedy: remedy)
        }
        descriptor = FileDescriptor(rawValue: number)
        self.name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? descriptor.close() }
}
