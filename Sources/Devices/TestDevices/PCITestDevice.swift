// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A PCI function for tests of low-level accesses (pci-testdev): base address 0 is memory, 1 is ports, and each
/// describes the tests that a guest can run on it.
///
///     +0   8 bits   w  starts test n, and its count
///     +1   8 bits  r   the width of the test's accesses in bytes; 0: there is no such test
///     +4   32 bits r   where in this base address the test writes
///     +8   32 bits r   what it writes
///     +12  32 bits r   how many writes of that width, place and, in the last test, value there were
///     +16  text    r   the test's name, ending with a zero
///
/// Test 0 writes where nothing is fast, test 1 anything, test 2 the value that is told. QEMU's tell KVM's ioeventfd
/// apart from exits; here all three take the same way, and count.
public final class PCITestDevice: PCIFunction {
    private enum Kind: UInt8, CaseIterable {
        case plain, wildcard, dataMatch

        var name: StaticString {
            switch self {
            case .plain: "no-eventfd"
            case .wildcard: "wildcard-eventfd"
            case .dataMatch: "datamatch-eventfd"
            }
        }
    }

    private enum Register {
        static var test: UInt64 { 0 }
        static var width: UInt64 { 1 }
        static var offset: UInt64 { 4 }
        static var data: UInt64 { 8 }
        static var count: UInt64 { 12 }
        static var name: UInt64 { 16 }
    }

    /// Which test runs on one base address.
    public struct Run: Equatable, Sendable {
        /// Its number; one that is no test's: none runs.
        public internal(set) var test: UInt8 = .max
        public internal(set) var count: UInt32 = 0
    }

    /// What is saved and restored, beside the configuration space: by base address.
    public private(set) var state = [Run(), Run()]
    public let configuration: PCIConfiguration

    private static var memorySize: UInt64 { 4096 }
    private static var portSize: UInt64 { 256 }
    /// Half way into the smaller base address: past all names.
    private static var place: UInt64 { 128 }
    private static var signature: UInt64 { 0xFA }

    /// A function that runs no test.
    public init() {
        configuration = PCIConfiguration(
            identity: PCIIdentity(
                vendor: 0x1B36, device: 0x0005, classCode: 0xFF_00_00, subsystemVendor: 0x1AF4, subsystem: 0x1100))
        configuration.addBaseAddress(0, .memory32(size: Self.memorySize))
        configuration.addBaseAddress(1, .io(size: Self.portSize))
    }

    private func kind(_ bar: Int) -> Kind? { Kind(rawValue: state[bar].test) }

    public func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard state.indices.contains(bar) else { return 0 }
        return (0..<width.bytes).reduce(0) { $0 | UInt64(byte(bar, offset &+ $1)) << (8 * $1) }
    }

    private func byte(_ bar: Int, _ offset: UInt64) -> UInt8 {
        guard let kind = kind(bar) else { return 0 }
        let part = { (value: UInt64) in UInt8(truncatingIfNeeded: value >> (8 * (offset & 3))) }
        switch offset {
        case Register.width: return 1
        case Register.offset..<Register.data: return part(Self.place)
        case Register.data..<Register.count: return part(Self.signature)
        case Register.count..<Register.name: return part(UInt64(state[bar].count))
        case Register.name..<Self.place:
            let text = (bar == 0 ? "mmio:" : "portio:") + kind.name.description
            return Array(text.utf8.dropFirst(Int(offset - Register.name)).prefix(1)).first ?? 0
        default: return 0
        }
    }

    public func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {
        guard state.indices.contains(bar) else { return }
        if offset == Register.test {
            state[bar] = Run(test: UInt8(truncatingIfNeeded: value))
        } else if offset == Self.place, width == .byte, let kind = kind(bar) {
            if kind != .dataMatch || value == Self.signature { state[bar].count &+= 1 }
        }
    }

    public func reset() {
        state = [Run(), Run()]
        configuration.reset()
    }
}
