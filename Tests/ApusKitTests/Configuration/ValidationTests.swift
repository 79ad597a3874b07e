// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Testing

@Suite("Configuration checks")
struct ValidationTests {
    private static let sound = VirtualMachineConfiguration(bootLoader: .bare(kernel: "k"))

    @Test("the defaults are sound")
    func defaults() throws {
        try Self.sound.validate()
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: @Sendable (inout VirtualMachineConfiguration) -> Void
        init(_ says: String, _ change: @escaping @Sendable (inout VirtualMachineConfiguration) -> Void) {
            testDescription = says
            self.change = change
        }
    }

    static let unsound: [Case] = [
        Case("a riscv64 machine has 1 to 16 CPUs, not 0") { $0.cpuCount = 0 },
        Case("a riscv64 machine has 1 to 16 CPUs, not 17") { $0.cpuCount = 17 },
        Case("an x86_64 machine has 1 to 16 CPUs, not 17") {
            $0.platform = .x86_64
            $0.cpuCount = 17
        },
        Case("an x86_64 machine has no virtio over mmio; use pci") {
            $0.platform = .x86_64
            $0.transport = .mmio
        },
        Case("a riscv64 machine has one CPU model; leave 'max' out") { $0.cpuModel = "max" },
        Case("memory of 4K does not fit a riscv64 machine; it takes 16M to 512G") { $0.memorySize = 4096 },
        Case("memory of 1T does not fit a riscv64 machine; it takes 16M to 512G") { $0.memorySize = 1 << 40 },
        Case("memory of 1073741825 bytes is not a whole number of 4K pages; round it up") {
            $0.memorySize = 1 << 30 | 1
        },
        Case("9 virtio devices do not fit the 8 slots of virtio over mmio; leave some out") {
            $0.transport = .mmio
            $0.storageDevices = .init(repeating: StorageDevice(path: "d"), count: 6)
        },
        Case("at most 512M of memory does not fit a machine that starts with 1G; give 1G to 512G") {
            $0.maximumMemorySize = 512 << 20
        },
        Case("memory of at most 1073741825 bytes is not a whole number of 4K pages; round it up") {
            $0.maximumMemorySize = 1 << 30 | 1
        },
        Case("memory that grows from 1G to 2G needs the balloon") {
            $0.maximumMemorySize = 2 << 30
            $0.memoryBalloon = nil
        },
        Case("host port tcp:127.0.0.1:80 is forwarded twice; each forward needs a port of its own") {
            var user = UserNetworkAttachment()
            user.forwards = .init(repeating: PortForward(.tcp, hostPort: 80, guestPort: 80), count: 2)
            $0.networkDevices = [NetworkDevice(attachment: .user(user))]
        },
        Case("two network cards have the address 52:54:00:00:00:01; give each one of its own") {
            var card = NetworkDevice(attachment: .tap(interface: "t"))
            card.address = MACAddress([0x52, 0x54, 0, 0, 0, 1])
            $0.networkDevices = [card, card]
        },
        Case("limit bps=0 would hold everything for ever; leave it out for no limit") {
            var disk = StorageDevice(path: "d")
            disk.limits.bytesPerSecond = 0
            $0.storageDevices = [disk]
        },
        Case("a timeout of 0.0 seconds ends the machine before it starts; give at least one second") {
            $0.timeout = .zero
        },
    ]

    @Test("what does not fit is refused with a sentence that says so", arguments: unsound)
    func refusal(_ unsound: Case) {
        var configuration = Self.sound
        unsound.change(&configuration)
        let error = #expect(throws: VirtualMachineError.self) { try configuration.validate() }
        #expect(error?.description == unsound.testDescription)
    }
}
