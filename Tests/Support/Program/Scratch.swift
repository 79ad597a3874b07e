// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder that goes with its object.
package final class Scratch: Sendable {
    package let folder: URL

    package init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    package func url(_ name: String) -> URL { folder.appending(path: name) }

    /// Makes a file; its path.
    package func file(_ name: String, _ content: Data) throws -> String {
        try content.write(to: url(name))
        return url(name).path
    }
}
