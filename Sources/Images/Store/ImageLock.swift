// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A lock between processes, held until it is dropped. The kernel drops it when its holder dies, so none goes stale.
final class ImageLock {
    private let file: FileDescriptor

    /// Takes the lock at `path`, or returns nil if another process holds it.
    static func take(_ path: FilePath) throws(ImageError) -> ImageLock? {
        try take(path, wait: false)
    }

    /// Takes the lock at `path` and waits for another holder. Blocks its thread.
    static func waitFor(_ path: FilePath) throws(ImageError) -> ImageLock {
        guard let lock = try take(path, wait: true) else { throw .busy(name: "\(path)") }
        return lock
    }

    private static func take(_ path: FilePath, wait: Bool) throws(ImageError) -> ImageLock? {
        do {
            let file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec, .noFollow],
                permissions: FilePermissions(rawValue: 0o644))
            do {
                if try Files.lock(file, wait: wait) { return ImageLock(file: file) }
                try file.close()
                return nil
            } catch {
                try? file.close()
                throw error
            }
        } catch {
            throw Files.failure("lock", path, error)
        }
    }

    private init(file: FileDescriptor) {
        self.file = file
    }

    deinit {
        // Closing the last descriptor of the open file drops the lock; a failure leaves nothing to do.
        try? file.close()
    }
}
