// SPDX-License-Identifier: Apache-2.0
import Foundation
import SystemPackage
import Testing

@testable import Images

enum NetworkTests {
    static let isAsked = ProcessInfo.processInfo.environment["APUS_NETWORK_TESTS"] == "1"
}

/// Builds the real image. It downloads some 125 MB, so it runs only when it is asked to.
@Suite("debian-micro", .enabled(if: NetworkTests.isAsked, "APUS_NETWORK_TESTS=1 builds the real image"))
struct DebianMicroTests {
    @Test(
        "is built from Debian's packages: a kernel, and an archive with all that boots", .timeLimit(.minutes(10)),
        arguments: [(ImagePlatform.riscv64, "-riscv64", "/ext4.ko\0"), (.x86_64, "-cloud-amd64", "/virtio_pci.ko\0")])
    func builds(platform: ImagePlatform, flavour: String, module: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("data/apus-agent-\(platform.rawValue)", Array("agent".utf8))
        let store = ImageStore(dataFolder: folder.path)
        let recorder = ProgressRecorder()
        let image = try await store.build(
            named: "debian-micro", platform: platform,
            options: ImageBuildOptions(dataFolder: folder.path.appending("data")), progress: recorder.record)
        let kernel = try Files.read(try #require(image.kernel), limit: 1 << 30)
        #expect(try KernelImage(kernel, name: "kernel", platform: platform).bytes == kernel)
        #expect(image.manifest.kernelVersion?.hasSuffix(flavour) == true)
        let archive = String(decoding: try Files.read(try #require(image.initrd), limit: 1 << 30), as: UTF8.self)
        #expect(archive.contains("/virtio_net.ko\0"))
        #expect(archive.contains(module))
        #expect(archive.contains("usr/bin/udhcpc\0"))
        #expect(recorder.events.last == .finished)
        #expect(try folder.names("images/\(platform.rawValue)") == [".debian-micro.lock", "debian-micro"])
    }
}
