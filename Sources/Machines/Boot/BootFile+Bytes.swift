// SPDX-License-Identifier: Apache-2.0

import Host
import SystemPackage

extension BootFile {
    /// The name that errors say.
    var name: String {
        switch self {
        case .path(let path): path
        case .bytes(_, let name): name
        }
    }

    /// Opens the file, which may have at most `limit` bytes, the size of RAM: nothing larger can be loaded. What is no
    /// regular file is read to its end.
    func open(limit: UInt64) throws(MachineError) -> BootContent {
        switch self {
        case .bytes(let bytes, let name):
            guard UInt64(bytes.count) <= limit else { throw BootFile.tooLarge(name, limit) }
            return .bytes(bytes[...])
        case .path(let path):
            do {
                guard let file = try StableFile.open(FilePath(path)) else {
                    return .bytes(try BootFile.read(FilePath(path), limit: limit)[...])
                }
                guard file.size <= limit else { throw BootFile.tooLarge(path, limit) }
                return .file(file, offset: 0, count: file.size)
            } catch let error as MachineError {
                throw error
            } catch let error as HostError {
                throw .bootFile(
                    name: path, reason: "cannot be read: \(error.errno?.description.lowercased() ?? error.description)")
            } catch let error as Errno {
                throw .bootFile(name: path, reason: "cannot be read: \(error.description.lowercased())")
            } catch {
                throw .bootFile(name: path, reason: "cannot be read: \(error)")
            }
        }
    }

    private static func read(_ path: FilePath, limit: UInt64) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                // SAFETY: the buffer's own storage, for the length of the call.
                let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
                guard UInt64(bytes.count) <= limit else { throw tooLarge(path.string, limit) }
            }
        }
    }

    private static func tooLarge(_ name: String, _ limit: UInt64) -> MachineError {
        .bootFile(name: name, reason: "is larger than the machine's RAM of \(limit >> 20) MiB: give it more memory")
    }
}
