// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// Port 0x80, where firmware shows how far its power-on self-test has come, and systems write to let a microsecond pass
/// on a bus that is slower than this one.
public final class POSTPort: Device {
    /// The last code.
    public private(set) var code: UInt8 = 0

    /// A port that shows zero.
    public init() {}

    public var windowSize: UInt64 { 1 }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 { offset == 0 ? UInt64(code) : 0 }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        if offset == 0 { code = UInt8(truncatingIfNeeded: value) }
    }

    public func reset() { code = 0 }
}
