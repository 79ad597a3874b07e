// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// SiFive's test finisher, as the `virt` machine has it (device tree `sifive,test1`): one write ends the machine.
///
///     +0  32 bits, the guest writes: what to do in 15:0, a code in 31:16
public final class Finisher: Device {
    /// What 15:0 asks for.
    private enum Command {
        static var fail: UInt64 { 0x3333 }
        static var pass: UInt64 { 0x5555 }
        static var reset: UInt64 { 0x7777 }
    }

    private let requests: @Sendable (MachineRequest) -> Void
    private var asked: MachineRequest?

    /// A finisher that hands what the guest asks for to `requests`, outside of its lock.
    public init(requests: @escaping @Sendable (MachineRequest) -> Void) {
        self.requests = requests
    }

    /// A page, of which the first register is all.
    public var windowSize: UInt64 { 0x1000 }

    /// Nothing can be read.
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }

    /// Takes a half word too: the code is zero then.
    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard offset == 0, width != .byte else { return }
        let code = Int32(value >> 16 & 0xFFFF)
        switch value & 0xFFFF {
        case Command.pass: asked = .powerOff(code: 0)
        // Firmware reports a failed system without a code (OpenSBI does); it must not look like success.
        case Command.fail: asked = .powerOff(code: code == 0 ? 1 : code)
        case Command.reset: asked = .reset
        default: break
        }
    }

    public func takeWork() -> DeviceWork? {
        guard let request = asked else { return nil }
        asked = nil
        return { [requests] in requests(request) }
    }

    public func reset() { asked = nil }
}
