// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// A virtio function as a driver finds it: by walking its capabilities (virtio 1.2 §4.1.4).
public final class PCIDriverRegisters: DriverRegisters {
    /// A structure in a base address.
    public struct Structure: Sendable {
        public let bar: Int
        public let offset: UInt64
        public let length: UInt64
    }

    private let board: MockBoard
    /// The structures by `cfg_type`.
    public private(set) var structures: [UInt8: Structure] = [:]
    /// Where the capabilities are in configuration space, by `cfg_type`.
    public private(set) var capabilities: [UInt8: Int] = [:]
    /// Where the MSI-X capability is.
    public private(set) var messageCapability: Int?
    private var notifyMultiplier: UInt64 = 0

    /// The function of `board`, which is on PCI.
    public init(_ board: MockBoard) {
        self.board = board
        var place = Int(readConfiguration(0x34, .byte))
        while place != 0 {
            let identifier = readConfiguration(place, .byte)
            if identifier == 0x11 { messageCapability = place }
            if identifier == 0x09 {
                let type = UInt8(readConfiguration(place + 3, .byte))
                capabilities[type] = place
                structures[type] = Structure(
                    bar: Int(readConfiguration(place + 4, .byte)), offset: readConfiguration(place + 8, .word),
                    length: readConfiguration(place + 12, .word))
                if type == 2 { notifyMultiplier = readConfiguration(place + 16, .word) }
            }
            place = Int(readConfiguration(place + 1, .byte))
        }
    }

    public func readConfiguration(_ offset: Int, _ width: AccessWidth) -> UInt64 {
        board.perform { board.pci?.readConfiguration(at: offset, width: width) ?? 0 }
    }

    public func writeConfiguration(_ value: UInt64, _ offset: Int, _ width: AccessWidth) {
        board.perform { board.pci?.writeConfiguration(value, at: offset, width: width) }
    }

    /// Reads base address 0.
    public func read(_ offset: UInt64, _ width: AccessWidth) -> UInt64 {
        board.perform { board.pci?.read(bar: 0, at: offset, width: width) ?? 0 }
    }

    /// Writes base address 0.
    public func write(_ value: UInt64, _ offset: UInt64, _ width: AccessWidth) {
        board.perform { board.pci?.write(value, bar: 0, at: offset, width: width) }
    }

    private func base(_ type: UInt8) -> UInt64 { structures[type]?.offset ?? 0x7000 }

    /// A field of the common structure.
    public func common(_ offset: UInt64, _ width: AccessWidth) -> UInt64 { read(base(1) + offset, width) }
    public func setCommon(_ value: UInt64, _ offset: UInt64, _ width: AccessWidth) {
        write(value, base(1) + offset, width)
    }

    public var deviceID: UInt32 { UInt32(readConfiguration(2, .half)) - 0x1040 }

    public func readDeviceFeatures() -> UInt64 {
        setCommon(0, 0x00, .word)
        let low = common(0x04, .word)
        setCommon(1, 0x00, .word)
        return common(0x04, .word) << 32 | low
    }

    public func writeDriverFeatures(_ features: UInt64) {
        setCommon(0, 0x08, .word)
        setCommon(features & 0xFFFF_FFFF, 0x0C, .word)
        setCommon(1, 0x08, .word)
        setCommon(features >> 32, 0x0C, .word)
    }

    public var status: UInt8 {
        get { UInt8(common(0x14, .byte)) }
        set { setCommon(UInt64(newValue), 0x14, .byte) }
    }

    private func select(_ queue: Int) { setCommon(UInt64(queue), 0x16, .half) }

    public func maximumSize(ofQueue queue: Int) -> UInt16 {
        select(queue)
        return UInt16(common(0x18, .half))
    }

    public func place(queue: Int, size: UInt16, descriptors: GuestAddress, driver: GuestAddress, device: GuestAddress) {
        select(queue)
        setCommon(UInt64(size), 0x18, .half)
        for (offset, address) in [(UInt64(0x20), descriptors), (0x28, driver), (0x30, device)] {
            setCommon(address.value & 0xFFFF_FFFF, offset, .word)
            setCommon(address.value >> 32, offset + 4, .word)
        }
        if messageCapability != nil { setCommon(UInt64(queue + 1), 0x1A, .half) }
    }

    public func enable(queue: Int) {
        select(queue)
        setCommon(1, 0x1C, .half)
    }

    public func isEnabled(queue: Int) -> Bool {
        select(queue)
        return common(0x1C, .half) == 1
    }

    public func notify(queue: Int) {
        select(queue)
        write(UInt64(queue), base(2) + common(0x1E, .half) * notifyMultiplier, .half)
    }

    public func takeInterruptStatus() -> UInt8 { UInt8(read(base(3), .byte)) }

    public var configGeneration: UInt32 { UInt32(common(0x15, .byte)) }
    public func readConfig(at offset: UInt64, width: AccessWidth) -> UInt64 { read(base(4) + offset, width) }
    public func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        write(value, base(4) + offset, width)
    }

    /// Bus mastering and memory space on; with MSI-X, vector n sends n to 0x1000.
    public func prepare() {
        writeConfiguration(0x6, 0x04, .half)
        guard let messageCapability else { return }
        let table = readConfiguration(messageCapability + 4, .word) & ~7
        let vectors = readConfiguration(messageCapability + 2, .half) & 0x7FF + 1
        writeConfiguration(0x8000, messageCapability + 2, .half)
        for vector in 0..<vectors {
            write(0x1000, table + vector * 16, .word)
            write(0, table + vector * 16 + 4, .word)
            write(vector, table + vector * 16 + 8, .word)
            write(0, table + vector * 16 + 12, .word)
        }
        setCommon(0, 0x10, .half)
    }
}
