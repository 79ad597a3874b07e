// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// Small files of text: settings, and what the kernel tells under /proc and /sys.
public enum TextFile {
    /// The text of `path`, at most `limit` bytes of it.
    public static func read(_ path: FilePath, limit: Int) throws(HostError) -> String {
        let file = try Descriptor.open(path, .readOnly)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 64 << 10))
        while text.count < limit {
            switch file.raw.receive(into: &buffer) {
            case .bytes(0): return String(decoding: text, as: UTF8.self)
            case .bytes(let count): text += buffer[..<min(count, limit - text.count)]
            case .wouldBlock: throw HostError("cannot read '\(path)'", .wouldBlock)
            case .failed(let error): throw HostError("cannot read '\(path)'", error)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// What a directory holds.
public enum Directory {
    /// The names in `path` but `.` and `..`, in no order; none where it cannot be read.
    public static func names(_ path: FilePath) -> [String] {
        // SAFETY: the stream lives from opendir to closedir; each entry is copied before the next call.
        guard let stream = unsafe opendir(path.string) else { return [] }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
