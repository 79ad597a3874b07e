// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// What the machine tells firmware and systems of itself: items by number, and files by name (fw_cfg).
///
/// Offsets are distances from port 0x510. Who uses it: r the guest reads, w the guest writes.
///
///     +0  16 bits   w  selects an item, and its first byte
///     +1   8 bits  r   the item's next byte; past its end zero
///     +4  32 bits  rw  address of a transfer 63:32, big-endian; reads as the signature's first half
///     +8  32 bits  rw  address of a transfer 31:0, big-endian, which begins it; reads as the second half
///
/// A transfer is described in guest memory, all big-endian: +0 control (0 error, 1 read, 2 skip, 3 select the item in
/// 31:16, 4 write), +4 length, +8 address. When it is over control is zero, or has the error bit alone.
///
/// The guest cannot write items: such transfers end with the error.
public final class FirmwareConfiguration: Device {
    /// Items with numbers of their own.
    public enum Item {
        public static var signature: UInt16 { 0x00 }
        public static var identity: UInt16 { 0x01 }
        public static var uuid: UInt16 { 0x02 }
        public static var memorySize: UInt16 { 0x03 }
        public static var noGraphics: UInt16 { 0x04 }
        public static var processors: UInt16 { 0x05 }
        public static var kernelAddress: UInt16 { 0x07 }
        public static var kernelSize: UInt16 { 0x08 }
        public static var commandLine: UInt16 { 0x09 }
        public static var initialDiskAddress: UInt16 { 0x0A }
        public static var initialDiskSize: UInt16 { 0x0B }
        public static var bootMenu: UInt16 { 0x0E }
        public static var maximumProcessors: UInt16 { 0x0F }
        public static var kernelData: UInt16 { 0x11 }
        public static var initialDiskData: UInt16 { 0x12 }
        public static var commandLineAddress: UInt16 { 0x13 }
        public static var commandLineSize: UInt16 { 0x14 }
        public static var commandLineData: UInt16 { 0x15 }
        public static var setupAddress: UInt16 { 0x16 }
        public static var setupSize: UInt16 { 0x17 }
        public static var setupData: UInt16 { 0x18 }
        public static var directory: UInt16 { 0x19 }
        /// Of the first file; the others follow.
        public static var files: UInt16 { 0x20 }
    }

    /// A file: a name of at most 55 ASCII bytes, and its content.
    public struct File: Sendable {
        public let name: String
        public let content: [UInt8]

        /// `content` by the name of `name`.
        public init(name: String, content: [UInt8]) {
            precondition(
                name.utf8.count < 56 && name.utf8.allSatisfy { $0 < 128 && $0 > 32 }, "a file has a short name")
            self.name = name
            self.content = content
        }
    }

    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        /// The item, without the bits that say whose it is.
        public internal(set) var selected: UInt16 = 0
        public internal(set) var offset = 0
        /// 63:32 of the next transfer's address.
        public internal(set) var addressHigh: UInt32 = 0
    }

    private enum Port {
        static var select: UInt64 { 0 }
        static var data: UInt64 { 1 }
        static var addressHigh: UInt64 { 4 }
        static var addressLow: UInt64 { 8 }
    }

    private enum Control {
        static var error: UInt32 { 1 << 0 }
        static var read: UInt32 { 1 << 1 }
        static var skip: UInt32 { 1 << 2 }
        static var select: UInt32 { 1 << 3 }
        static var write: UInt32 { 1 << 4 }
    }

    /// "QEMU CFG", by which drivers know that there are transfers.
    private static var signature: UInt64 { 0x5145_4D55_2043_4647 }

    /// The registers now.
    public private(set) var state = State()
    private let items: [UInt16: [UInt8]]
    private let memory: GuestMemory

    /// Tells `items` by their numbers and `files` by their names; the signature, the version and the directory come
    /// from here.
    public init(items: [UInt16: [UInt8]], files: [File], memory: GuestMemory) {
        self.memory = memory
        let sorted = files.sorted { $0.name < $1.name }
        precondition(sorted.count < 0x4000 - Int(Item.files), "a machine tells a bounded number of files")
        precondition(zip(sorted, sorted.dropFirst()).allSatisfy { $0.name != $1.name }, "a file has a name of its own")
        var all = items
        all[Item.signature] = Array("QEMU".utf8)
        // Bit 0: the interface there always was; bit 1: transfers.
        all[Item.identity] = [3, 0, 0, 0]
        var directory = Self.bigEndian(UInt32(sorted.count))
        for (index, file) in sorted.enumerated() {
            let number = Item.files + UInt16(index)
            all[number] = file.content
            directory += Self.bigEndian(UInt32(truncatingIfNeeded: file.content.count))
            directory += Self.bigEndian(UInt32(number) << 16)
            directory += Array(file.name.utf8) + Array(repeating: 0, count: 56 - file.name.utf8.count)
        }
        all[Item.directory] = directory
        self.items = all
    }

    public var windowSize: UInt64 { 12 }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    private var item: [UInt8] { items[state.selected] ?? [] }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        switch (offset, width) {
        case (Port.data, .byte): return UInt64(next())
        case (Port.addressHigh, .word): return UInt64(UInt32(Self.signature >> 32).byteSwapped)
        case (Port.addressLow, .word): return UInt64(UInt32(truncatingIfNeeded: Self.signature).byteSwapped)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        switch (offset, width) {
        case (Port.select, .half): select(UInt16(truncatingIfNeeded: value))
        case (Port.addressHigh, .word): state.addressHigh = UInt32(truncatingIfNeeded: value).byteSwapped
        case (Port.addressLow, .word):
            let low = UInt32(truncatingIfNeeded: value).byteSwapped
            let address = UInt64(state.addressHigh) << 32 | UInt64(low)
            state.addressHigh = 0
            transfer(GuestAddress(address))
        default: break
        }
    }

    /// Bit 14 asks to write, bit 15 for items of the architecture: neither makes another item here.
    private func select(_ number: UInt16) {
        state.selected = number & 0x3FFF
        state.offset = 0
    }

    private func next() -> UInt8 {
        let item = item
        guard state.offset < item.count else { return 0 }
        defer { state.offset += 1 }
        return item[state.offset]
    }

    // MARK: Transfers

    private func transfer(_ description: GuestAddress) {
        // Copied once: the guest may change it meanwhile.
        guard let bytes = memory.bytes(at: description, count: 16) else { return }
        let words = stride(from: 0, to: 16, by: 4).map { place in
            bytes[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let address = UInt64(words[2]) << 32 | UInt64(words[3])
        let isDone = perform(words[0], length: words[1], GuestAddress(address))
        _ = memory.write(Self.bigEndian(isDone ? 0 : Control.error), at: description)
    }

    private func perform(_ control: UInt32, length: UInt32, _ address: GuestAddress) -> Bool {
        if control & Control.select != 0 { select(UInt16(truncatingIfNeeded: control >> 16)) }
        let item = item
        let start = min(state.offset, item.count)
        let taken = min(Int(length), item.count - start)
        if control & Control.read != 0 {
            // All of the range is memory, or nothing is written: also what is past the item's end, and reads as zero.
            guard length == 0 || memory.contains(address, count: UInt64(length)) else { return false }
            guard taken == 0 || memory.write(Array(item[start..<start + taken]), at: address) else { return false }
            let rest = UInt64(length) - UInt64(taken)
            let restAddress = GuestAddress(address.value &+ UInt64(taken))
            guard rest == 0 || memory.fill(at: restAddress, count: rest) else { return false }
        } else if control & Control.write != 0 {
            return false
        } else if control & Control.skip == 0 {
            return true
        }
        state.offset = start + taken
        return true
    }

    public func reset() { state = State() }
}
