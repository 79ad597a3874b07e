// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Something that happened to a guest, as `apus events` tells it.
public struct GuestEvent: Codable, Equatable, Sendable {
    /// What happened.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Its machine was switched on.
        case started
        case paused
        case resumed
        /// It began again from reset.
        case restarted
        /// Its system says that it has crashed.
        case panicked
        /// Its machine is over.
        case ended
        /// Its process is gone without having said why.
        case lost
    }

    /// Seconds since 1970.
    public var time: Double
    public var id: GuestIdentifier
    public var name: GuestName?
    public var kind: Kind
    /// How it ended, the words of a crash; nil where there is nothing to add.
    public var detail: String?
    /// The exit status of a guest that has ended.
    public var status: Int32?

    init(
        _ kind: Kind, of guest: GuestRecord, time: Double, detail: String? = nil, status: Int32? = nil
    ) {
        self.time = time
        id = guest.id
        name = guest.name
        self.kind = kind
        self.detail = detail
        self.status = status
    }

    /// A line for a terminal: time, guest, event and what there is to add.
    public var text: String {
        let moment = Date(timeIntervalSince1970: time).formatted(
            .iso8601.time(includingFractionalSeconds: true).year().month().day().timeZone(separator: .omitted))
        let words = [moment, name?.rawValue ?? id.rawValue, kind.rawValue, detail].compactMap(\.self)
        return words.joined(separator: " ") + (status.map { ", status \($0)" } ?? "") + "\n"
    }
}
