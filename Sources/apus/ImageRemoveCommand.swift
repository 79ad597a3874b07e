// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus image remove`.
struct ImageRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes an image.")

    @Argument(help: "The image's name.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("The guest's hardware: riscv64 or x86_64.", valueName: "platform"))
    var platform = "riscv64"

    func run() async throws {
        let platform = try Platform(parsing: platform)
        let library = try ImageLibrary()
        guard try library.remove(name, platform: platform) else {
            let built = try library.list().map { "\($0.name) for \($0.platform.rawValue)" }
            throw VirtualMachineError(
                .configuration,
                "image '\(name)' for \(platform.rawValue) is not built; "
                    + (built.isEmpty ? "no image is" : "built are \(built.joined(separator: ", "))"))
        }
    }
}
