// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage
import Testing

@testable import Images

/// A recipe that writes a few bytes, or fails, or waits.
struct TestRecipe: ImageRecipe {
    var content = "kernel"
    var fails = false
    var willBuild: @Sendable (FilePath) async -> Void = { _ in }

    func build(
        in folder: FilePath, scratch: FilePath, options: ImageBuildOptions, progress: @escaping ImageProgressSink
    ) async throws(ImageError) -> ImageContents {
        try Files.write(content.utf8, to: folder.appending("kernel"))
        try Files.write("scratch".utf8, to: scratch.appending("left-over"))
        await willBuild(folder)
        if fails { throw .noMirror }
        return ImageContents(kernel: "kernel", kernelVersion: "1.2.3", commandLine: "quiet")
    }
}

/// A task that one closure starts and another waits for.
final class TaskHolder: Sendable {
    private let task = Mutex<Task<StoredImage, any Error>?>(nil)

    func start(_ body: @escaping @Sendable () async throws -> StoredImage) {
        task.withLock { $0 = Task.detached { try await body() } }
    }

    func value() async throws -> StoredImage? {
        try await task.withLock { $0 }?.value
    }
}

@Suite("ImageStore")
struct ImageStoreTests {
    private let folder: TemporaryFolder
    private let store: ImageStore

    init() throws {
        folder = try TemporaryFolder()
        store = ImageStore(dataFolder: folder.path)
    }

    @discardableResult
    private func make(
        _ name: String = "one", _ recipe: TestRecipe = TestRecipe(), replace: Bool = true,
        progress: @escaping ImageProgressSink = { _ in }
    ) async throws -> StoredImage {
        try await store.make(name, .riscv64, recipe, ImageBuildOptions(), replace: replace, progress: progress)
    }

    @Test("has an image after it is built, and in the list")
    func builds() async throws {
        let made = try await make()
        #expect(try store.image(named: "one", platform: .riscv64) == made)
        #expect(try store.list() == [made])
        #expect(made.manifest.kernelVersion == "1.2.3")
        #expect(made.size == 6)
        #expect(made.kernel == folder.path.appending("images/riscv64/one/kernel"))
        #expect(made.initrd == nil)
    }

    @Test("leaves nothing but the image and its lock")
    func leavesNothing() async throws {
        try await make()
        #expect(try folder.names("images/riscv64") == [".one.lock", "one"])
        #expect(try folder.names("images/riscv64/one") == ["image.json", "kernel"])
    }

    @Test("shows the old image until the new one is whole")
    func replaces() async throws {
        try await make()
        let (store, folder) = (store, folder)
        try await make(
            "one",
            TestRecipe(content: "newer kernel") { aside in
                #expect(aside != folder.path.appending("images/riscv64/one"))
                #expect((try? store.image(named: "one", platform: .riscv64))??.size == 6)
            })
        #expect(try folder.read("images/riscv64/one/kernel") == Array("newer kernel".utf8))
        #expect(try folder.names("images/riscv64") == [".one.lock", "one"])
    }

    @Test("keeps the old image when a build fails, and no trace of the build")
    func keepsOnFailure() async throws {
        try await make()
        await #expect(throws: ImageError.noMirror) { try await make("one", TestRecipe(content: "x", fails: true)) }
        #expect(try store.image(named: "one", platform: .riscv64)?.size == 6)
        #expect(try folder.names("images/riscv64") == [".one.lock", "one"])
    }

    @Test("removes what a process left that died in a build")
    func reapsStale() async throws {
        try folder.write("images/riscv64/.one.building/image/kernel", [1])
        try folder.write("images/riscv64/.one.discarded/kernel", [1])
        try await make()
        #expect(try folder.names("images/riscv64") == [".one.lock", "one"])
    }

    @Test("builds once when two ask at the same time: the second waits and says so")
    func waits() async throws {
        let store = store
        let heard = ProgressRecorder()
        let second = TaskHolder()
        let first = try await make(
            "one",
            TestRecipe { _ in
                second.start {
                    try await store.make(
                        "one", .riscv64, TestRecipe(content: "never"), ImageBuildOptions(), replace: true,
                        progress: heard.record)
                }
                await heard.waitForEvent()
            })
        #expect(try await second.value() == first)
        #expect(heard.events == [.waiting(name: "one"), .finished])
    }

    @Test("refuses to remove an image that is being built")
    func refusesBusy() async throws {
        let store = store
        try await make()
        try await make(
            "one",
            TestRecipe { _ in
                #expect(throws: ImageError.busy(name: "one")) { try store.remove(named: "one", platform: .riscv64) }
            })
    }

    @Test("says why where an image cannot be locked")
    func cannotLock() async throws {
        try Files.makeFolders(folder.path.appending("images/riscv64/.one.lock"))
        let error = await #expect(throws: ImageError.self) { try await make() }
        #expect(error?.description.hasSuffix(".one.lock': is a directory") == true)
    }

    @Test("removes an image, and tells when there was none")
    func removes() async throws {
        try await make()
        #expect(try store.remove(named: "one", platform: .riscv64))
        #expect(try store.list() == [])
        #expect(try !store.remove(named: "one", platform: .riscv64))
        #expect(try !ImageStore(dataFolder: folder.path.appending("empty")).remove(named: "one", platform: .riscv64))
    }

    @Test("does not build again what is there, unless told")
    func reuses() async throws {
        let first = try await make()
        let again = try await make("one", TestRecipe(content: "other"), replace: false)
        #expect(again == first)
    }

    @Test(
        "refuses a name that is no plain folder's",
        arguments: ["", "..", ".hidden", "a/b", "a\0b", "-x", "\u{E4}", String(repeating: "a", count: 65)])
    func refusesName(name: String) throws {
        #expect(throws: ImageError.invalidName(name)) { try store.image(named: name, platform: .riscv64) }
        #expect(throws: ImageError.invalidName(name)) { try store.remove(named: name, platform: .riscv64) }
    }

    @Test("lists what it knows for a name it does not")
    func unknownName() async {
        let known = ImageCatalogue.items.map(\.name)
        await #expect(throws: ImageError.unknownImage(name: "fedora", known: known)) {
            try await store.ensure(named: "fedora", platform: .riscv64, progress: { _ in })
        }
    }

    @Test(
        "refuses an image whose files are not what its description says",
        arguments: [
            ("kernel", "longer than it was"), ("image.json", "{}"), ("image.json", ""), ("image.json", "[1"),
            ("image.json", manifest(file: "../../x")), ("image.json", manifest(format: 9)),
        ])
    func refusesDamage(file: String, content: String) async throws {
        try await make()
        try folder.write("images/riscv64/one/\(file)", content.utf8)
        let error = #expect(throws: ImageError.self) { try store.image(named: "one", platform: .riscv64) }
        #expect(error?.description.contains("is malformed") == true)
        #expect(try store.list() == [])
    }

    private static func manifest(file: String = "kernel", format: Int = 1) -> String {
        """
        {"format": \(format), "name": "one", "platform": "riscv64", "created": 1, "files": {"kernel": "\(file)"},
         "sizes": {"kernel": 6}}
        """
    }
}

@Suite("DataFolder")
struct DataFolderTests {
    @Test(
        "follows the XDG rules",
        arguments: [
            (["APUS_HOME": "/a", "XDG_DATA_HOME": "/x", "HOME": "/h"], "/a"),
            (["XDG_DATA_HOME": "/x", "HOME": "/h"], "/x/apus"), (["HOME": "/h"], "/h/.local/share/apus"),
            (["XDG_DATA_HOME": "relative", "HOME": "/h"], "/h/.local/share/apus"),
        ] as [([String: String], FilePath)])
    func path(variables: [String: String], path: FilePath) throws {
        #expect(try DataFolder.path { variables[$0] } == path)
    }

    @Test("names the variable to set when there is no folder", arguments: [[:], ["HOME": "x"], ["APUS_HOME": "x"]])
    func noFolder(variables: [String: String]) {
        let error = #expect(throws: ImageError.self) { try DataFolder.path { variables[$0] } }
        #expect(error?.description.contains("APUS_HOME") == true)
    }
}

@Suite("GuestData")
struct GuestDataTests {
    @Test("finds the agent in the folder it is told")
    func findsAgent() throws {
        let folder = try TemporaryFolder()
        try folder.write("apus-agent-riscv64", [1])
        let agent = try GuestData(folder: folder.path).agent(for: .riscv64)
        #expect(agent == folder.path.appending("apus-agent-riscv64"))
    }

    @Test("says where it looked for an agent that is not installed")
    func missingAgent() throws {
        let folder = try TemporaryFolder()
        let error = ImageError.missingAgent(file: "apus-agent-riscv64", searched: [folder.path.string])
        #expect(throws: error) { try GuestData(folder: folder.path).agent(for: .riscv64) }
    }

    @Test("looks around the program, then around apus on PATH, where that is another")
    func searchesAroundApus() throws {
        let folder = try TemporaryFolder()
        try folder.write("opt/bin/apus", [], permissions: 0o755)
        let path = "relative:/nowhere:\(folder.path)/opt/bin"
        let folders = GuestData.folders(program: "/srv/bin/mine") { ["PATH": path][$0] }
        let opt = folder.path.appending("opt")
        #expect(folders == ["/srv/bin", "/srv/share/apus", opt.appending("bin"), opt.appending("share/apus")])
    }

    @Test("takes APUS_EXECUTABLE for apus, and looks nowhere twice")
    func searchesAroundNamed() {
        let folders = GuestData.folders(program: "/usr/bin/apus") { ["APUS_EXECUTABLE": "/usr/bin/apus"][$0] }
        #expect(folders == ["/usr/bin", "/usr/share/apus"])
    }
}
