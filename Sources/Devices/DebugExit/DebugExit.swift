// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The port by which test programs end a PC, at 0xF4: a value `v` ends the machine with `v << 1 | 1`, so that no value
/// means that all went well. QEMU's `isa-debug-exit`.
public final class DebugExit: Device {
    private let requests: @Sendable (MachineRequest) -> Void
    private var asked: MachineRequest?

    /// Hands `.powerOff` to `requests`, with no lock held.
    public init(requests: @escaping @Sendable (MachineRequest) -> Void) {
        self.requests = requests
    }

    public var windowSize: UInt64 { 4 }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 { 0 }

    /// Takes every width. An exit status has eight bits, and so has the code.
    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard offset < windowSize else { return }
        asked = .powerOff(code: Int32((value << 1 | 1) & 0xFF))
    }

    public func takeWork() -> DeviceWork? {
        guard let request = asked else { return nil }
        asked = nil
        return { [requests] in requests(request) }
    }

    public func reset() { asked = nil }
}
