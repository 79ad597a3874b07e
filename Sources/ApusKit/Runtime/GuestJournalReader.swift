// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

/// Reads the journal of all guests: what was, and what comes.
public struct GuestJournalReader: ~Copyable {
    /// How long it sleeps where nothing is new.
    private static let pace = Duration.milliseconds(200)

    private var current: LineReader
    private var events: ArraySlice<GuestEvent> = []
    private let start: Double
    private let follows: Bool

    /// Every event of the last `past`, from the journal in the user's runtime folder; then, if `follows`, those that come.
    public init(last past: Duration, follows: Bool) throws(VirtualMachineError) {
        let now = Double(MonotonicTime.sinceEpoch / 1_000_000) / 1000
        self.init(
            folder: try RuntimeFolder().path, since: now - Double(past.components.seconds), follows: follows)
    }

    /// Every event from `start` on, in seconds since 1970, of the journal in `folder`.
    init(folder: FilePath, since start: Double, follows: Bool) {
        var old = LineReader(GuestJournal.oldPath(in: folder))
        current = LineReader(GuestJournal.path(in: folder))
        self.start = start
        self.follows = follows
        // It is at most a file's limit long, and does not grow any more.
        while true {
            let lines = old.next()
            if lines.isEmpty { break }
            events += parse(lines)
        }
    }

    /// The next event; nil after the last, where it does not follow, and when its task is cancelled.
    public mutating func next() async -> GuestEvent? {
        while true {
            if let event = events.popFirst() { return event }
            let lines = current.next()
            events = ArraySlice(parse(lines))
            guard lines.isEmpty else { continue }
            guard follows, !Task.isCancelled else { return nil }
            try? await Task.sleep(for: GuestJournalReader.pace)
        }
    }

    /// Every event that is there by now.
    mutating func rest() -> [GuestEvent] {
        while true {
            let lines = current.next()
            if lines.isEmpty { break }
            events += parse(lines)
        }
        defer { events = [] }
        return Array(events)
    }

    private func parse(_ lines: [ArraySlice<UInt8>]) -> [GuestEvent] {
        lines.compactMap { try? JSONDecoder().decode(GuestEvent.self, from: Data($0)) }.filter { $0.time >= start }
    }
}

/// The whole lines of a file that grows.
private struct LineReader: ~Copyable {
    /// A line that is longer is none of ours.
    private static let limit = 64 << 10

    private var file: FollowedFile
    private var rest: [UInt8] = []

    init(_ path: FilePath) { file = FollowedFile(path) }

    /// The lines that are new; none at the file's end.
    mutating func next() -> [ArraySlice<UInt8>] {
        while true {
            let bytes = file.next()
            if bytes.isEmpty { return [] }
            rest += bytes
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else {
                if rest.count > LineReader.limit { rest = [] }
                continue
            }
            defer { rest.removeSubrange(...end) }
            return rest[..<end].split(separator: UInt8(ascii: "\n"))
        }
    }
}
