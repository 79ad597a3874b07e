// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The files for guests that are installed beside the program.
struct GuestData {
    /// Where to look, in this order.
    let folders: [FilePath]

    /// - Parameter folder: the one place to look in; nil means `APUS_DATA` where it is set, else around the program that
    ///   runs and, as that may be one that uses the library, around `apus` itself.
    init(folder: FilePath?) {
        if let folder = folder ?? Files.environment("APUS_DATA").map({ FilePath($0) }) {
            folders = [folder]
        } else {
            let around = GuestData.folders(program: Files.programPath(), variable: Files.environment)
            folders = around.isEmpty ? ["/usr/local/share/apus", "/usr/share/apus"] : around
        }
    }

    /// Beside each program, as a build leaves it, and where an installation puts it: `../share/apus`. The programs are
    /// the one that runs, and `apus` at `APUS_EXECUTABLE`, else on PATH.
    static func folders(program: FilePath?, variable: (String) -> String?) -> [FilePath] {
        let onPath = (variable("PATH") ?? "").split(separator: ":").filter { $0.hasPrefix("/") }
            .map { FilePath(String($0)).appending("apus") }
        let apus = variable("APUS_EXECUTABLE").map { FilePath($0) } ?? onPath.first(where: Files.isExecutable)
        var found: [FilePath] = []
        for case let program? in [program, apus] {
            let beside = program.removingLastComponent()
            for folder in [beside, beside.removingLastComponent().appending("share/apus")]
            where !found.contains(folder) {
                found.append(folder)
            }
        }
        return found
    }

    /// The agent that runs commands inside guests of `platform`.
    func agent(for platform: ImagePlatform) throws(ImageError) -> FilePath {
        let name = "apus-agent-\(platform.rawValue)"
        for folder in folders where Files.exists(folder.appending(name)) { return folder.appending(name) }
        throw .missingAgent(file: name, searched: folders.map(\.string))
    }
}
