// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// What is made and removed in directories.
extension Directory {
    /// Makes a directory of this user's alone; false where something has that name.
    @discardableResult
    public static func make(_ path: FilePath, mode: UInt32 = 0o700) throws(HostError) -> Bool {
        // SAFETY: a NUL-terminated string for the call.
        if unsafe mkdir(path.string, mode) == 0 { return true }
        let error = Errno.current
        if error == .fileExists { return false }
        throw HostError("cannot make the folder '\(path)'", error)
    }

    /// Makes the directory and those above it; what is there already is left as it is.
    public static func makeWithParents(_ path: FilePath, mode: UInt32 = 0o700) throws(HostError) {
        do throws(HostError) {
            try make(path, mode: mode)
        } catch {
            let above = path.removingLastComponent()
            guard error.errno == .noSuchFileOrDirectory, !above.isEmpty, above != path else { throw error }
            try makeWithParents(above, mode: 0o755)
            try make(path, mode: mode)
        }
    }

    /// Removes a file, or a directory with all that is in it, following no symbolic link. Nothing there is fine.
    public static func remove(_ path: FilePath) throws(HostError) {
        // SAFETY: a NUL-terminated string for each call.
        if unsafe unlink(path.string) == 0 { return }
        let error = Errno.current
        // unlink(2) of a directory is EISDIR on Linux, EPERM by POSIX.
        guard error == .isDirectory || error == .notPermitted else {
            if error == .noSuchFileOrDirectory { return }
            throw HostError("cannot remove '\(path)'", error)
        }
        for name in names(path) { try remove(path.appending(name)) }
        if unsafe rmdir(path.string) != 0, Errno.current != .noSuchFileOrDirectory {
            throw HostError("cannot remove the folder '\(path)'", .current)
        }
    }

    /// Gives what is at `source` the name `target`. A file that has it is replaced; a directory is not, unless empty.
    public static func rename(_ source: FilePath, to target: FilePath) throws(HostError) {
        // SAFETY: NUL-terminated strings for the call.
        guard unsafe Glibc.rename(source.string, target.string) == 0 else {
            throw HostError("cannot move '\(source)' to '\(target)'", .current)
        }
    }

    /// Makes a second name of the file at `source`; false where the file system cannot, or the two are on different ones.
    public static func link(_ source: FilePath, to target: FilePath) throws(HostError) -> Bool {
        // SAFETY: NUL-terminated strings for the call.
        if unsafe Glibc.link(source.string, target.string) == 0 { return true }
        switch Errno.current {
        // Also where the host protects files of other users from links (proc(5), fs.protected_hardlinks).
        case .improperLink, .notPermitted, .notSupported, .tooManyLinks: return false
        case let error: throw HostError("cannot link '\(source)' to '\(target)'", error)
        }
    }

    /// Makes the names in the directory durable.
    public static func synchronize(_ path: FilePath) throws(HostError) {
        let directory = try Descriptor.open(path, .readOnly, options: .directory)
        // Some file systems have nothing to synchronize there, and say so.
        if fsync(directory.number) != 0, Errno.current != .invalidArgument {
            throw HostError("cannot make '\(path)' durable", .current)
        }
    }
}

extension TextFile {
    /// Replaces the file at `path` at once: whoever opens it finds the old text or the new one, also after a crash of
    /// the host if `isDurable`. Two writers at once are fine; the later one wins.
    public static func replace(
        _ path: FilePath, with text: String, mode: FilePermissions = [.ownerReadWrite], isDurable: Bool
    ) throws(HostError) {
        let aside = FilePath("\(path).\(getpid())-\(HexText.encode(Randomness.bytes(4))).new")
        do throws(HostError) {
            let file = try Descriptor.open(aside, .writeOnly, options: [.exclusiveCreate, .create], mode: mode)
            var rest = ArraySlice(text.utf8)
            while !rest.isEmpty {
                switch file.raw.transmit(rest) {
                case .bytes(let count): rest = rest.dropFirst(count)
                case .wouldBlock: throw HostError("cannot write '\(path)'", .wouldBlock)
                case .failed(let error): throw HostError("cannot write '\(path)'", error)
                }
            }
            if isDurable, fsync(file.number) != 0 { throw HostError("cannot make '\(path)' durable", .current) }
            try Directory.rename(aside, to: path)
        } catch {
            // SAFETY: a NUL-terminated string for the call. The first failure is the one to tell.
            unsafe _ = unlink(aside.string)
            throw error
        }
        if isDurable { try Directory.synchronize(path.removingLastComponent()) }
    }
}

/// Bytes as hexadecimal digits.
public enum HexText {
    /// Two lower-case digits a byte.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
