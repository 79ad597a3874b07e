// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The files that a kernel finds in memory when it starts, in the order in which it unpacks them. Everything belongs
/// to root and has no date, so that the same input gives the same bytes.
struct Initramfs {
    /// One file of the archive.
    struct Entry {
        enum Content {
            case bytes([UInt8])
            /// A file of the host of exactly this many bytes.
            case file(FilePath, size: Int64)
            case folder
            case symbolicLink(to: String)
            case pipe
            case characterDevice(major: UInt32, minor: UInt32)
            case blockDevice(major: UInt32, minor: UInt32)
        }

        /// Without a leading slash.
        let path: String
        let permissions: UInt32
        let content: Content
    }

    private(set) var entries: [Entry] = []
    private var known: Set<String> = []

    /// Adds an entry; the first one of a path stays.
    mutating func add(_ path: String, permissions: UInt32, _ content: Entry.Content) {
        guard known.insert(path).inserted else { return }
        entries.append(Entry(path: path, permissions: permissions, content: content))
    }

    mutating func addFolder(_ path: String, permissions: UInt32 = 0o755) {
        add(path, permissions: permissions, .folder)
    }

    mutating func addLink(_ path: String, to target: String) {
        add(path, permissions: 0o777, .symbolicLink(to: target))
    }

    mutating func addText(_ path: String, _ text: String, permissions: UInt32 = 0o644) {
        add(path, permissions: permissions, .bytes(Array(text.utf8)))
    }

    /// Without these two the first process has no console before it mounts /dev.
    mutating func addConsole() {
        addFolder("dev")
        add("dev/console", permissions: 0o600, .characterDevice(major: 5, minor: 1))
        add("dev/null", permissions: 0o666, .characterDevice(major: 1, minor: 3))
    }
}
