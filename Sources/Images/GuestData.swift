// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The files for guests that are installed beside the program.
struct GuestData {
    /// Where to look, in this order.
    let folders: [FilePath]

    /// - Parameter folder: the one place to look in; nil means `APUS_DATA` where it is set, else beside the program
    ///   and where a package puts it (`../share/apus`).
    init(folder: FilePath?) {
        if let folder = folder ?? Files.environment("APUS_DATA").map({ FilePath($0) }) {
            folders = [folder]
        } else if let program = Files.programPath() {
            let beside = program.removingLastComponent()
            folders = [beside, beside.removingLastComponent().appending("share/apus")]
        } else {
            folders = ["/usr/local/share/apus", "/usr/share/apus"]
        }
    }

    /// The agent that runs commands inside guests of `platform`.
    func agent(for platform: ImagePlatform) throws(ImageError) -> FilePath {
        let name = "apus-agent-\(platform.rawValue)"
        for folder in folders where Files.exists(folder.appending(name)) { return folder.appending(name) }
        throw .missingAgent(file: name, searched: folders.map(\.string))
    }
}
