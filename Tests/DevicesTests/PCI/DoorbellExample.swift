// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A doorbell: the guest rings, the host hears. The example of docs/adding-a-device.md, which shows it line by line.
///
/// Base address 0, 16 bytes of memory; who uses the registers: r the guest reads, w the guest writes.
///
///     +0  8 bits   w  rings: the value is handed to the host
///     +4  32 bits  r  how often it was rung
///     +8  8 bits   w  bit 0 takes the interrupt back
///
/// INTA# is asserted from a ring until it is taken back.
final class Doorbell: PCIFunction {
    /// What is saved and restored, beside the configuration space.
    struct State: Equatable, Sendable {
        fileprivate(set) var rings: UInt32 = 0
        fileprivate(set) var isRinging = false
    }

    private(set) var state = State()
    let configuration: PCIConfiguration
    private let heard: @Sendable (UInt8) -> Void
    private var untold: [UInt8] = []

    /// A doorbell that tells each ring's value to `heard`, from any thread and with no lock held.
    init(heard: @escaping @Sendable (UInt8) -> Void) {
        self.heard = heard
        configuration = PCIConfiguration(
            identity: PCIIdentity(vendor: 0x1B36, device: 0x00FE, classCode: 0x08_80_00), interruptPin: .a)
        configuration.addBaseAddress(0, .memory32(size: 16))
    }

    func read(bar: Int, at offset: UInt64, width: AccessWidth) -> UInt64 {
        offset == 4 && width == .word ? UInt64(state.rings) : 0
    }

    func write(_ value: UInt64, bar: Int, at offset: UInt64, width: AccessWidth) {
        guard width == .byte else { return }
        switch offset {
        case 0:
            state.rings &+= 1
            state.isRinging = true
            untold.append(UInt8(truncatingIfNeeded: value))
        case 8 where value & 1 != 0: state.isRinging = false
        default: break
        }
    }

    var wantsInterrupt: Bool { state.isRinging }

    func takeWork() -> DeviceWork? {
        guard !untold.isEmpty else { return nil }
        let values = untold
        untold = []
        return { [heard] in values.forEach(heard) }
    }

    func reset() {
        state = State()
        untold = []
        configuration.reset()
    }
}
