// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// MSWI and MTIMER in one window, as SiFive's CLINT had them and every system expects them (RISC-V ACLINT 1.0-rc4
/// §1.1).
///
///     +0x0000  MSWI
///     +0x4000  MTIMER: the comparators, and MTIME at +0xBFF8
///     +0xC000  reserved
///
/// Outputs 0...15 are the harts' machine software interrupts, outputs 16...31 their machine timer interrupts.
public final class CLINT: Device {
    /// The first of the timer outputs.
    public static var timerOutput: Int { 16 }
    private static var timerBase: UInt64 { 0x4000 }

    public let software: MSWI
    public let timer: MTIMER

    /// For harts 0 up to `harts`, at most 16. See `MTIMER.init` for `offsetChanged`.
    public init(harts: Int, clock: any Clock, offsetChanged: (@Sendable (UInt64) -> Void)? = nil) {
        software = MSWI(harts: harts)
        timer = MTIMER(harts: harts, clock: clock, offsetChanged: offsetChanged)
    }

    public var windowSize: UInt64 { 0x10000 }

    public var interruptLevels: UInt64 {
        software.interruptLevels | timer.interruptLevels << UInt64(Self.timerOutput)
    }

    public var deadline: UInt64? { timer.deadline }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        offset < Self.timerBase
            ? software.read(at: offset, width: width) : timer.read(at: offset - Self.timerBase, width: width)
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        if offset < Self.timerBase {
            software.write(value, at: offset, width: width)
        } else {
            timer.write(value, at: offset - Self.timerBase, width: width)
        }
    }

    public func takeWork() -> DeviceWork? { timer.takeWork() }

    public func reset() {
        software.reset()
        timer.reset()
    }
}
