// SPDX-License-Identifier: Apache-2.0

import Foundation
import Host
import SystemPackage

@testable import ApusKit

/// A machine in this process that runs a program of a few instructions, and a control server at a socket of its own.
final class ControlRig {
    let machine: InProcessMachine
    let server: ControlServer
    let path: String
    private let folder: URL

    /// `program` is RV64 code for the start of RAM.
    init(_ program: [UInt32]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-control-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let kernel = folder.appending(path: "program").path
        try ControlRig.elf(program).write(to: URL(fileURLWithPath: kernel))
        var configuration = VirtualMachineConfiguration(bootLoader: .bare(kernel: kernel))
        configuration.memorySize = 64 << 20
        configuration.serialPort = SerialPort(attachment: .memory(isShown: false))
        machine = try InProcessMachine(configuration)
        server = ControlServer(machine, userID: HostProcess.userID)
        path = folder.appending(path: "control").path
        try server.listen(at: FilePath(path))
    }

    deinit {
        server.close()
        machine.stop(.caller)
        try? FileManager.default.removeItem(at: folder)
    }

    /// `lui t0, 0x10000; li t1, 'x'; sb t1, (t0); j -4`: writes to the 16550 for ever.
    static let chatter: [UInt32] = [0x1000_02B7, 0x0780_0313, 0x0062_8023, 0xFFDF_F06F]
    /// `wfi; j -4`.
    static let idle: [UInt32] = [0x1050_0073, 0xFFDF_F06F]
    /// `lui t0, 0x10000; lbu t1, 5(t0); andi t1, t1, 1; beqz t1, -8; lbu t2, (t0); sb t2, (t0); j -20`: sends back what
    /// comes in.
    static let echo: [UInt32] = [
        0x1000_02B7, 0x0052_C303, 0x0013_7313, 0xFE03_0CE3, 0x0002_C383, 0x0072_8023, 0xFEDF_F06F,
    ]

    /// An ELF64 executable of one segment at the start of RAM (System V gABI, chapters 4 and 5).
    private static func elf(_ code: [UInt32]) -> Data {
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        func put(_ value: UInt64, _ size: Int) {
            bytes += (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        }
        let (base, size) = (UInt64(0x8000_0000), UInt64(code.count * 4))
        for (value, width) in [
            (2, 2), (243, 2), (1, 4), (base, 8), (64, 8), (0, 8), (0, 4), (64, 2), (56, 2), (1, 2), (0, 2), (0, 2),
            (0, 2), (1, 4), (7, 4), (120, 8), (base, 8), (base, 8), (size, 8), (size, 8), (4, 8),
        ] as [(UInt64, Int)] { put(value, width) }
        for instruction in code { put(UInt64(instruction), 4) }
        return Data(bytes)
    }
}

/// A client that says what it likes.
final class RawClient {
    private let socket: Descriptor
    private var received = Data()
    private(set) var isOver = false

    init(_ path: String) throws { socket = try UnixStream.connect(FilePath(path)) }

    func send(_ text: String) { _ = socket.raw.transmit(Array(text.utf8)[...]) }

    /// Waits for `wanted` in what comes; false where the connection ends, or nothing comes any more.
    func awaits(_ wanted: String, seconds: Double = 60) -> Bool {
        let text = Data(wanted.utf8)
        var searched = 0
        return awaits(seconds) {
            // What was searched is not searched again: a guest may be talkative.
            let from = max(0, searched - text.count)
            searched = received.count
            return received[from...].range(of: text) != nil
        }
    }

    /// Waits for so many bytes in all.
    func awaits(bytes: Int, seconds: Double = 60) -> Bool { awaits(seconds) { received.count >= bytes } }

    private func awaits(_ seconds: Double, _ isThere: () -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while !isThere() {
            guard !isOver, Date() < deadline else { return false }
            read()
        }
        return true
    }

    /// Waits for the other side to hang up.
    func awaitsEnd(seconds: Double = 60) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while !isOver, Date() < deadline { read() }
        return isOver
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        switch socket.raw.receive(into: &buffer) {
        case .bytes(0), .failed: isOver = true
        case .bytes(let count): received.append(contentsOf: buffer[..<count])
        case .wouldBlock: usleep(2000)
        }
    }
}
