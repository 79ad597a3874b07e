// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// A guest that is kept under its name, whether it runs or not.
public struct KeptGuest: Equatable, Sendable {
    public var name: GuestName
    /// The image that it was made from.
    public var image: String?
    /// Seconds since 1970.
    public var created: Int64
    /// The machine. Relative paths in it are from the guest's folder.
    public var configuration: VirtualMachineConfiguration
    /// How its last run ended; nil where there was none, where it runs, and where its process was killed.
    public internal(set) var lastEnd: VirtualMachineEnd?
    /// Whether it was ever started.
    public internal(set) var hasRun = false

    /// What `machine.json` says, for people to edit and give back.
    public var text: String { JSONText.encode(File(self)) }

    /// The guest that `text` describes, as `machine.json` has it. `path` is for errors.
    init(parsing text: String, path: FilePath) throws(VirtualMachineError) {
        self = try JSONText.decode(File.self, from: text.utf8, of: "'\(path)'").guest
    }

    init(name: GuestName, image: String?, created: Int64, configuration: VirtualMachineConfiguration) {
        self.name = name
        self.image = image
        self.created = created
        self.configuration = configuration
    }

    /// Raised when an older Apus could not use the file.
    private static let currentFormat = 1

    /// `machine.json`.
    private struct File: Codable {
        enum CodingKeys: String, CodingKey, CaseIterable { case format, name, image, created, machine }

        var guest: KeptGuest

        init(_ guest: KeptGuest) { self.guest = guest }

        init(from decoder: any Decoder) throws {
            let file = try decoder.strictContainer(keyedBy: CodingKeys.self, of: "a guest's file")
            let format = try file.value(.format, default: KeptGuest.currentFormat)
            guard format == KeptGuest.currentFormat else {
                throw VirtualMachineError(
                    .configuration, "its format \(format) is not \(KeptGuest.currentFormat), which this Apus knows")
            }
            guard let name = try file.text(.name, GuestName.init(parsing:)) else {
                throw VirtualMachineError(.configuration, "a guest's file needs a 'name'")
            }
            guest = KeptGuest(
                name: name, image: try file.decodeIfPresent(String.self, forKey: .image),
                created: try file.value(.created, default: 0),
                configuration: try file.decode(VirtualMachineConfiguration.self, forKey: .machine))
        }

        func encode(to encoder: any Encoder) throws {
            var file = encoder.container(keyedBy: CodingKeys.self)
            try file.encode(KeptGuest.currentFormat, forKey: .format)
            try file.encode(guest.name.rawValue, forKey: .name)
            try file.encodeIfPresent(guest.image, forKey: .image)
            try file.encode(guest.created, forKey: .created)
            try file.encode(guest.configuration, forKey: .machine)
        }
    }
}
