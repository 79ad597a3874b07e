// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
public import SystemPackage

/// How the last run of a kept guest went: a file that is emptied at its start and written at its end.
///
/// It is open from the start on, for a process in its sandbox opens nothing any more.
public final class GuestEnding: Sendable {
    private let file: FileDescriptor

    /// Begins a run: what the file at `path` said of the last one is gone.
    public init(_ path: FilePath) throws(VirtualMachineError) {
        do {
            file = try Descriptor.open(path, .writeOnly, options: [.create, .truncate]).take()
        } catch {
            throw VirtualMachineError(error)
        }
    }

    deinit { try? file.close() }

    /// Writes down how the run ended.
    public func write(_ end: VirtualMachineEnd) {
        // One write of some hundred bytes: there whole or not at all. Where the disk is full, nobody is to be told.
        _ = file.transmit(ArraySlice(JSONText.line(end).utf8))
    }

    /// How the run ended that the file at `path` is about; nil where there was none, where it goes on, and where its
    /// process was killed.
    static func read(_ path: FilePath) -> VirtualMachineEnd? {
        guard let text = try? TextFile.read(path, limit: 64 << 10) else { return nil }
        return try? JSONDecoder().decode(VirtualMachineEnd.self, from: Data(text.utf8))
    }
}
