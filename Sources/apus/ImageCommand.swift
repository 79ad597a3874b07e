// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `apus image`: a folder for what is done to guest images.
struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Builds, lists and removes guest images.",
        discussion: """
            EXAMPLES
              apus image build debian-micro --platform riscv64
              apus image build --from rootfs --output initrd.gz
              apus image list --json
            """,
        subcommands: [ImageBuildCommand.self, ImageListCommand.self, ImageRemoveCommand.self])
}
