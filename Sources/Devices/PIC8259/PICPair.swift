// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The two 8259A of a PC and their edge/level registers: inputs 0...7 at the master, 8...15 at the slave, whose output
/// is the master's input 2.
///
/// Offsets are distances from port 0x20; each port is a byte.
///
///     0x000, 0x001  the master (ports 0x20, 0x21)
///     0x080, 0x081  the slave (0xA0, 0xA1)
///     0x4B0, 0x4B1  edge/level registers (0x4D0, 0x4D1; Intel ICH9 §13.4.10, §13.4.11): a bit an input, 1: level.
///                   Inputs 0, 1, 2, 8 and 13 are edges for ever.
///
/// Output 0 is INTR. The processor that takes it calls `acknowledge`.
public final class PICPair: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        public internal(set) var master = PIC8259()
        public internal(set) var slave = PIC8259()
    }

    /// How many inputs there are, the slave's own included.
    public static var inputs: Int { 16 }
    private static var slaveInput: UInt8 { 2 }

    /// The registers now.
    public private(set) var state = State()

    /// A pair that masks everything.
    public init() {}

    public var windowSize: UInt64 { 0x4B2 }

    public var interruptLevels: UInt64 { state.master.output ? 1 : 0 }

    /// The wire of input `number` is now `level`. Input 2 is the slave's; others than 0...15 do not exist.
    public func setInput(_ number: Int, level: Bool) {
        guard number >= 0, number < Self.inputs, number != Int(Self.slaveInput) else { return }
        if number < 8 {
            state.master.setInput(UInt8(number), level: level)
        } else {
            state.slave.setInput(UInt8(number - 8), level: level)
            connect()
        }
    }

    /// The processor's acknowledgement: the vector of the highest priority. An input that has taken back its request
    /// leaves a spurious interrupt, 7 of its chip, of which nothing is in service.
    public func acknowledge() -> UInt8 {
        guard let number = state.master.acknowledge() else { return state.master.vectorBase | 7 }
        guard number == Self.slaveInput else { return state.master.vectorBase | number }
        let vector = state.slave.vectorBase | (state.slave.acknowledge() ?? 7)
        reconnect()
        return vector
    }

    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        guard width == .byte else { return 0 }
        switch offset {
        case 0, 1: return UInt64(state.master.read(port: offset))
        case 0x80, 0x81:
            let wasPolled = state.slave.isPolled
            let value = state.slave.read(port: offset & 1)
            if wasPolled { reconnect() }
            return UInt64(value)
        case 0x4B0: return UInt64(state.master.levelTriggered)
        case 0x4B1: return UInt64(state.slave.levelTriggered)
        default: return 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard width == .byte else { return }
        let byte = UInt8(truncatingIfNeeded: value)
        switch offset {
        case 0, 1: state.master.write(byte, port: offset)
        case 0x80, 0x81: state.slave.write(byte, port: offset & 1)
        case 0x4B0: state.master.levelTriggered = byte & 0xF8
        case 0x4B1: state.slave.levelTriggered = byte & 0xDE
        default: break
        }
        connect()
    }

    /// Back to a pair that masks everything; the wires keep their levels.
    public func reset() {
        let (master, slave) = (state.master.inputs, state.slave.inputs)
        state = State()
        state.master.inputs = master & ~(1 << Self.slaveInput)
        state.slave.inputs = slave
    }

    private func connect() { state.master.setInput(Self.slaveInput, level: state.slave.output) }

    /// The slave's output falls with each acknowledgement, so that what still asks makes a new edge at the master.
    private func reconnect() {
        state.master.setInput(Self.slaveInput, level: false)
        connect()
    }
}
