// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage
import Testing

@testable import ApusKit

@Suite("RuntimeFolder")
struct RuntimeFolderTests {
    private let rig: RuntimeRig
    private let user = HostProcess.userID

    init() throws { rig = try RuntimeRig() }

    @Test("APUS_HOME comes first, then XDG_RUNTIME_DIR where it is the user's, then a folder of the user's number")
    func place() throws {
        let own = rig.path.string
        func place(_ user: UInt32, _ variables: [String: String]) throws -> String {
            try RuntimeFolder.place(user: user) { variables[$0] }.string
        }
        #expect(try place(user, ["APUS_HOME": "/data", "XDG_RUNTIME_DIR": own]) == "/data/run")
        #expect(try place(user, ["XDG_RUNTIME_DIR": own]) == "\(own)/apus")
        #expect(try place(user + 1, ["XDG_RUNTIME_DIR": own]) == "/tmp/apus-\(user + 1)")
        #expect(try place(1234, ["XDG_RUNTIME_DIR": "relative"]) == "/tmp/apus-1234")
        #expect(try place(0, [:]) == "/run/apus")
    }

    @Test("a relative APUS_HOME is refused")
    func relative() {
        let error = #expect(throws: VirtualMachineError.self) {
            try RuntimeFolder.place(user: user) { ["APUS_HOME": "data"][$0] }
        }
        #expect(error?.description.contains("APUS_HOME is 'data'") == true)
    }

    @Test("it is made for this user alone, with the folders above it")
    func made() throws {
        let path = rig.path.appending("a/b/run")
        _ = try RuntimeFolder(path: path, user: user)
        #expect(try Stat(path, followTargetSymlink: false).permissions == .ownerReadWriteExecute)
    }

    @Test("another user's folder is refused")
    func foreign() {
        let error = #expect(throws: VirtualMachineError.self) {
            _ = try RuntimeFolder(path: rig.path, user: user + 1)
        }
        #expect(error?.description.contains("belongs to user \(user), not to you (\(user + 1))") == true)
    }

    @Test("a folder that others can write is refused", arguments: [0o770, 0o707, 0o777, 0o720] as [Int])
    func open(_ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: rig.path.string)
        let error = #expect(throws: VirtualMachineError.self) { _ = try RuntimeFolder(path: rig.path, user: user) }
        #expect(error?.description.contains("can be written by others; remove it") == true)
    }

    @Test("a symbolic link and a file are no runtime folder")
    func notAFolder() throws {
        let link = rig.path.appending("link")
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: rig.path.string)
        try TextFile.replace(rig.path.appending("file"), with: "", isDurable: false)
        #expect(throws: VirtualMachineError.self) { _ = try RuntimeFolder(path: link, user: user) }
        #expect(throws: VirtualMachineError.self) {
            _ = try RuntimeFolder(path: rig.path.appending("file"), user: user)
        }
    }
}
