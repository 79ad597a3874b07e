// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import MachineCore
import SystemPackage

/// Reads `count` bytes, waiting for them; fewer where the other side is gone.
func readAll(_ count: Int, from descriptor: FileDescriptor) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count {
        var buffer = [UInt8](repeating: 0, count: min(65536, count - result.count))
        guard case .bytes(let got) = descriptor.receive(into: &buffer), got > 0 else { break }
        result += buffer[..<got]
    }
    return result
}

/// Sends all of `bytes`, trying again where they are not taken.
func sendAll(_ bytes: [UInt8], to stream: any StreamBackend) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let taken = stream.send(Array(rest))
        rest = rest.dropFirst(taken)
        if taken == 0 { usleep(1000) }
    }
}

/// A loop that runs as long as the object lives.
final class RunningLoop: Sendable {
    let loop: EventLoop

    init() throws {
        loop = try EventLoop()
        try loop.start()
    }

    deinit { loop.stop() }
}

/// A unix stream socket of ours and what to do with it at `path`: connect(2) or bind(2).
func unixSocket(_ path: FilePath, _ call: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt) -> (CInt, CInt) {
    let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.string.utf8) }
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            call(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    return (number, result)
}
