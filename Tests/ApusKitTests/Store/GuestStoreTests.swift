// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@testable import ApusKit

@Suite("GuestStore", .timeLimit(.minutes(10)))
struct GuestStoreTests {
    private let rig: StoreRig
    private var store: GuestStore { rig.store }

    init() throws { rig = try StoreRig() }

    @Test("a guest made from an image has parts of its own, and its configuration names those")
    func create() throws {
        let made = try rig.guest("web")
        #expect(rig.names("machines/web") == ["disk.img", "initrd", "kernel", "machine.json"])
        #expect(made.configuration.storageDevices == [StorageDevice(path: "disk.img")])
        let linux = LinuxBootLoader(kernel: "kernel", initialRamdisk: "initrd", commandLine: "root=/dev/vda")
        #expect(made.configuration.bootLoader == .linux(linux))
        let found = try #require(try store.guest(named: try rig.name("web")))
        #expect(found.text == made.text)
        #expect(found.image == "system")
    }

    @Test("a guest's disk is a copy: neither sees what is written to the other")
    func ownDisk() throws {
        try rig.guest("web")
        let copy = store.folder(of: try rig.name("web")).appending("disk.img")
        let before = try rig.content(FilePath(rig.image.disk ?? ""))
        #expect(try rig.content(copy) == before)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: copy.string))
        try file.write(contentsOf: Data("other".utf8))
        try file.close()
        #expect(try rig.content(FilePath(rig.image.disk ?? "")) == before)
    }

    @Test("paths of the host's files are kept whole, wherever the guest is started from")
    func paths() throws {
        var configuration = rig.configuration
        configuration.storageDevices.append(StorageDevice(path: "data.img"))
        configuration.serialPort = SerialPort(attachment: .file(path: "/log/console"))
        let made = try store.create(try rig.name("web"), image: rig.image, configuration: configuration)
        let here = FileManager.default.currentDirectoryPath
        #expect(made.configuration.storageDevices.map(\.path) == ["disk.img", "\(here)/data.img"])
        let folder = store.folder(of: try rig.name("web"))
        let resolved = made.configuration.resolvingPaths(in: folder)
        #expect(resolved.storageDevices.map(\.path) == ["\(folder)/disk.img", "\(here)/data.img"])
        #expect(resolved.serialPort?.attachment == .file(path: "/log/console"))
    }

    @Test("a guest's network card has an address from its making on")
    func address() throws {
        var configuration = rig.configuration
        configuration.networkDevices = [NetworkDevice(attachment: .user(UserNetworkAttachment()))]
        let made = try store.create(try rig.name("web"), image: rig.image, configuration: configuration)
        let address = try #require(made.configuration.networkDevices.first?.address)
        let found = try #require(try store.guest(named: try rig.name("web")))
        #expect(found.configuration.networkDevices.first?.address == address)
    }

    @Test("a copy of another guest's configuration has addresses of its own, and keeps those that nobody has")
    func copiedAddress() throws {
        var configuration = rig.configuration
        configuration.networkDevices = [NetworkDevice(attachment: .user(UserNetworkAttachment()))]
        var copied = try store.create(try rig.name("web"), image: rig.image, configuration: configuration).configuration
        let taken = try #require(copied.networkDevices.first?.address)
        var free = NetworkDevice(attachment: .user(UserNetworkAttachment()))
        free.address = try MACAddress(parsing: "52:54:00:00:00:01")
        copied.networkDevices.append(free)
        let copy = try store.create(try rig.name("db"), image: nil, configuration: copied, isCopy: true)
        let addresses = copy.configuration.networkDevices.map(\.address)
        #expect(addresses.count == 2)
        #expect(addresses.first != .some(.none))
        #expect(addresses.first != taken)
        #expect(addresses.last == free.address)
    }

    @Test("an address that the user chose is taken as it is")
    func chosenAddress() throws {
        var configuration = rig.configuration
        configuration.networkDevices = [NetworkDevice(attachment: .user(UserNetworkAttachment()))]
        let first = try store.create(try rig.name("web"), image: rig.image, configuration: configuration)
        configuration.networkDevices = first.configuration.networkDevices
        let second = try store.create(try rig.name("db"), image: rig.image, configuration: configuration)
        #expect(second.configuration.networkDevices == first.configuration.networkDevices)
    }

    @Test("a second guest of the same name is refused, and the first stays as it was")
    func unique() throws {
        let made = try rig.guest("web")
        let error = #expect(throws: VirtualMachineError.self) { try rig.guest("web") }
        #expect(error?.description.hasPrefix("guest 'web' is kept already; ") == true)
        #expect(try store.guest(named: try rig.name("web"))?.text == made.text)
    }

    @Test("a guest that cannot be made leaves nothing")
    func failure() throws {
        try Directory.remove(FilePath(rig.image.disk ?? ""))
        #expect(throws: VirtualMachineError.self) { try rig.guest("web") }
        #expect(rig.names("machines") == [".lock"])
    }

    @Test("what a killed process left aside is no guest, and goes with the next change")
    func leftover() throws {
        try Directory.makeWithParents(rig.path.appending("machines/.web"))
        #expect(store.list().isEmpty)
        try rig.guest("db")
        #expect(rig.names("machines") == [".lock", "db"])
    }

    @Test("a removed guest is gone with its disks, and the image stays")
    func remove() throws {
        try rig.guest("web")
        try store.remove(try rig.name("web"))
        #expect(rig.names("machines") == [".lock"])
        #expect(FileIdentity(FilePath(rig.image.kernel ?? "")) != nil)
        let error = #expect(throws: VirtualMachineError.self) { try store.remove(try rig.name("web")) }
        #expect(error?.description == "no guest 'web' is kept; none is")
    }

    @Test("a configuration that was edited replaces the one before")
    func replace() throws {
        var guest = try rig.guest("web")
        let text = guest.text.replacingOccurrences(of: "\"cpus\" : 1", with: "\"cpus\" : 2")
        guest = try KeptGuest(parsing: text, path: "web.json")
        try store.replace(guest)
        #expect(try store.guest(named: try rig.name("web"))?.configuration.cpuCount == 2)
    }

    @Test(
        "a bad edit is refused with its key",
        arguments: [
            ("\"cpus\" : 1", "\"cpu\" : 1", "cpu"), ("\"cpus\" : 1", "\"cpus\" : \"x\"", "machine.cpus"),
            ("\"name\" : \"web\"", "\"name\" : \"a/b\"", "a/b"), ("\"format\" : 1", "\"format\" : 2", "format 2"),
            ("\"memory\" : \"1G\"", "\"memory\" : \"1X\"", "1X"), ("{", "", "JSON"),
        ])
    func badEdit(_ old: String, _ new: String, _ named: String) throws {
        let text = try rig.guest("web").text
        #expect(text.contains(old))
        let range = try #require(text.range(of: old))
        let error = #expect(throws: VirtualMachineError.self) {
            _ = try KeptGuest(parsing: text.replacingCharacters(in: range, with: new), path: "web.json")
        }
        #expect(error?.description.contains(named) == true)
    }

    @Test("a configuration that does not fit a machine is refused, and the one before stays")
    func unsound() throws {
        var guest = try rig.guest("web")
        guest.configuration.cpuCount = 99
        #expect(throws: VirtualMachineError.self) { try store.replace(guest) }
        #expect(try store.guest(named: try rig.name("web"))?.configuration.cpuCount == 1)
    }

    @Test("the end of a run is remembered until the next one begins")
    func ending() throws {
        try rig.guest("web")
        let name = try rig.name("web")
        #expect(try store.guest(named: name)?.lastEnd == nil)
        let end = VirtualMachineEnd(reason: .poweredOff(code: 3))
        try GuestEnding(store.endFile(of: name)).write(end)
        #expect(try store.guest(named: name)?.lastEnd == end)
        let next = try GuestEnding(store.endFile(of: name))
        #expect(try store.guest(named: name)?.lastEnd == nil)
        next.write(end)
    }

    @Test("of many who keep a guest of one name at once, one does, and it is whole")
    func race() async throws {
        let rig = rig
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { (try? rig.guest("web")) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        #expect(rig.names("machines") == [".lock", "web"])
    }
}

@Suite("ThrowAwayCopy")
struct ThrowAwayCopyTests {
    private let rig: StoreRig

    init() throws { rig = try StoreRig() }

    private func copy() throws -> ThrowAwayCopy {
        try ThrowAwayCopy(of: FilePath(rig.image.disk ?? ""), dataFolder: rig.path)
    }

    @Test("it has the disk's content while it is held, and goes with its object")
    func life() throws {
        do {
            let copy = try copy()
            #expect(try rig.content(copy.path) == rig.content(FilePath(rig.image.disk ?? "")))
            #expect(rig.names("scratch").count == 2)
        }
        #expect(rig.names("scratch") == [])
    }

    @Test("one whose maker is gone is cleared by the next, one that is held is not")
    func clearing() throws {
        let held = try copy()
        for name in ["dead.img", "dead.lock", "lone.img"] {
            try TextFile.replace(rig.path.appending("scratch").appending(name), with: "", isDurable: false)
        }
        let next = try copy()
        #expect(rig.names("scratch").count == 4)
        #expect(FileIdentity(held.path) != nil)
        #expect(FileIdentity(next.path) != nil)
    }
}
