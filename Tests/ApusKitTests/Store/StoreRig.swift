// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

@testable import ApusKit

/// A store in a data folder that goes with it, and an image for guests to be made from.
final class StoreRig: Sendable {
    let path: FilePath
    let store: GuestStore
    let image: GuestImage
    static let diskSize = 4 << 20

    init() throws {
        path = FilePath(FileManager.default.temporaryDirectory.appending(path: "apus-st-\(UUID().uuidString)").path)
        store = GuestStore(dataFolder: path)
        let parts = path.appending("image")
        try Directory.makeWithParents(parts)
        try TextFile.replace(parts.appending("kernel"), with: "kernel", isDurable: false)
        try TextFile.replace(parts.appending("initrd.gz"), with: "initrd", isDurable: false)
        // Mostly a hole, as a fresh disk is.
        try TextFile.replace(parts.appending("root.img"), with: "first", isDurable: false)
        let disk = try FileHandle(forUpdating: URL(fileURLWithPath: parts.appending("root.img").string))
        try disk.truncate(atOffset: UInt64(StoreRig.diskSize))
        try disk.seek(toOffset: UInt64(StoreRig.diskSize - 4))
        try disk.write(contentsOf: Data("last".utf8))
        try disk.close()
        image = try JSONDecoder().decode(
            GuestImage.self,
            from: Data(
                """
                {"name": "system", "platform": "riscv64", "size": 1, "created": 1, "commandLine": "root=/dev/vda",
                 "kernel": "\(parts)/kernel", "initialRamdisk": "\(parts)/initrd.gz", "disk": "\(parts)/root.img"}
                """.utf8))
    }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    /// The image's machine.
    var configuration: VirtualMachineConfiguration {
        var configuration = VirtualMachineConfiguration(
            bootLoader: .linux(
                LinuxBootLoader(
                    kernel: image.kernel ?? "", initialRamdisk: image.initialRamdisk, commandLine: image.commandLine)))
        configuration.storageDevices = [StorageDevice(path: image.disk ?? "")]
        return configuration
    }

    func name(_ text: String) throws -> GuestName { try GuestName(parsing: text) }

    /// A guest made from the image.
    @discardableResult
    func guest(_ text: String) throws -> KeptGuest {
        try store.create(try name(text), image: image, configuration: configuration)
    }

    func names(_ folder: String) -> [String] { Directory.names(path.appending(folder)).sorted() }

    func content(_ file: FilePath) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file.string)) }
}
