// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus image build`.
struct ImageBuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Builds a known image, or packs a folder.",
        usage: """
            apus image build NAME [--platform P] [--mirror URL]
            apus image build --from FOLDER --output FILE [--format initramfs|ext4]
            """,
        discussion: """
            An image that is there already is replaced once the new one is whole.

            KNOWN IMAGES
            \(ImageLibrary.recipes.map { "  \($0.name)  \($0.summary)" }.joined(separator: "\n"))

            EXAMPLES
              apus image build debian-micro
              apus image build debian-micro --mirror http://mirror.example/debian
              apus image build --from rootfs --output initrd.gz
              apus image build --from rootfs --format ext4 --output disk.img
            """)

    @Argument(help: "A known image's name.")
    var name: String?

    @Option(name: .long, help: ArgumentHelp("The guest's hardware: riscv64 or x86_64.", valueName: "platform"))
    var platform = "riscv64"

    @Option(name: .long, help: ArgumentHelp("A Debian mirror instead of the one of this host.", valueName: "url"))
    var mirror: String?

    @Option(name: .long, help: ArgumentHelp("Pack this folder instead.", valueName: "folder"))
    var from: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("With --from: the file to make.", valueName: "file"))
    var output: String?

    @Option(
        name: .long, help: ArgumentHelp("With --from: initramfs (the default) or ext4.", valueName: "format"))
    var format: String?

    @Option(name: .long, help: ArgumentHelp("With --format ext4: the disk's size.", valueName: "size"))
    var size: String?

    @Flag(name: .long, help: "Print the image as JSON.")
    var json = false

    @OptionGroup(title: "Logging")
    var logging: LoggingOptions

    func run() async throws {
        try logging.bootstrap()
        let platform = try Platform(parsing: platform)
        if let from { return try await pack(from) }
        guard let name else {
            throw VirtualMachineError(
                .configuration,
                "nothing to build: name an image (known are "
                    + ImageLibrary.recipes.map(\.name).joined(separator: ", ") + ") or give --from FOLDER")
        }
        guard output == nil, format == nil, size == nil else {
            throw VirtualMachineError(.configuration, "--output, --format and --size go with --from FOLDER")
        }
        let display = ProgressDisplay()
        let image = try await ImageLibrary().build(
            name, platform: platform, mirror: mirror, progress: display.show)
        display.finish()
        Message.print(json ? JSONText.encode(image) : "\(image.name) for \(image.platform.rawValue) is built\n")
    }

    private func pack(_ folder: String) async throws(VirtualMachineError) {
        guard name == nil, mirror == nil, !json else {
            throw VirtualMachineError(
                .configuration,
                "a folder is packed into a file: give --from FOLDER --output FILE, no name, --mirror or --json")
        }
        guard let output else {
            throw VirtualMachineError(.configuration, "--from '\(folder)' needs --output FILE, the file to make")
        }
        let display = ProgressDisplay()
        try await ImageLibrary.pack(
            folder: folder, as: try ImageLibrary.FolderFormat(parsing: format ?? "initramfs"), to: output,
            size: try size.map { text throws(VirtualMachineError) in try ByteSize(parsing: text) },
            progress: display.show)
        display.finish()
    }
}
