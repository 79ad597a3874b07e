// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus image list`.
struct ImageListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the images that are built, and those that can be.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    /// What `--json` prints.
    private struct Listing: Encodable {
        var built: [GuestImage]
        var known: [ImageLibrary.Recipe]
    }

    func run() async throws {
        let built = try ImageLibrary().list()
        if json { return Message.print(JSONText.encode(Listing(built: built, known: ImageLibrary.recipes))) }
        var rows: [[String]] = built.map {
            [$0.name, $0.platform.rawValue, "built", "\($0.size >> 20) MiB", $0.kernelVersion ?? "-"]
        }
        for recipe in ImageLibrary.recipes {
            for platform in recipe.platforms
            where !built.contains(where: { $0.name == recipe.name && $0.platform == platform }) {
                rows.append([recipe.name, platform.rawValue, "can be built", "-", "-"])
            }
        }
        Message.print(TextTable(rows, header: ["IMAGE", "PLATFORM", "STATE", "SIZE", "KERNEL"]).text)
    }
}
