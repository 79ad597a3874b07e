// SPDX-License-Identifier: Apache-2.0

extension PCIConfiguration {
    /// Reads `width` bytes at `offset`, at any alignment; bytes past the end are zero. The interrupt bit of the status
    /// register is zero here: only the function knows it, and `PCIFunction.readConfiguration` puts it in.
    public func read(at offset: Int, width: AccessWidth) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<Int(width.rawValue) {
            let place = offset &+ index
            guard state.bytes.indices.contains(place) else { continue }
            value |= UInt64(state.bytes[place]) << UInt64(8 * index)
        }
        return value
    }

    /// Writes what of the `width` bytes at `offset` the guest may write.
    public func write(_ value: UInt64, at offset: Int, width: AccessWidth) {
        mayHaveMoved = true
        for index in 0..<Int(width.rawValue) {
            let place = offset &+ index
            guard state.bytes.indices.contains(place) else { continue }
            let byte = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            state.bytes[place] = state.bytes[place] & ~writable[place] | byte & writable[place]
        }
    }

    /// Sets bits of read-only registers: for the function, not for the guest.
    public func store(_ value: UInt64, at offset: Int, width: AccessWidth) {
        precondition(offset >= 0 && offset + Int(width.rawValue) <= Self.size, "a register lies in the space")
        for index in 0..<Int(width.rawValue) {
            state.bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }

    /// The command register.
    public var command: PCICommand {
        PCICommand(rawValue: UInt16(truncatingIfNeeded: read(at: PCIRegister.command, width: .half)))
    }

    /// Whether the function may read and write memory, messages of interrupts included.
    public var mayMasterBus: Bool { command.contains(.busMaster) }

    /// The interrupt pin.
    public var interruptPin: PCIInterruptPin {
        PCIInterruptPin(rawValue: state.bytes[PCIRegister.interruptPin]) ?? .none
    }

    /// Back to the state after reset: the guest's writes are forgotten, nothing is decoded.
    public func reset() {
        state.bytes = initial
        mayHaveMoved = true
    }

    /// The new decoding, if it has changed since this was last asked. The adaptor asks after each access of any kind,
    /// so that it is cheap when configuration space was not written, and hands the answer to the host bridge.
    public func takeDecodingChange() -> PCIDecoding? {
        guard mayHaveMoved else { return nil }
        mayHaveMoved = false
        let ranges = decodedRanges
        guard ranges != lastDecoding.ranges else { return nil }
        state.generation &+= 1
        lastDecoding = PCIDecoding(generation: state.generation, ranges: ranges)
        return lastDecoding
    }

    /// The base addresses that the function answers at now. One that is zero has not been assigned, and one past the
    /// end of its space (what a driver leaves there while it learns the size) meets no window of the host bridge.
    public var decodedRanges: [PCIDecoding.Range] {
        let command = command
        var ranges: [PCIDecoding.Range] = []
        for bar in 0..<6 {
            guard let kind = baseAddress(bar) else { continue }
            guard command.contains(kind.space == .io ? .ioSpace : .memorySpace) else { continue }
            let register = read(at: PCIRegister.bar0 + 4 * bar, width: kind.is64Bit ? .double : .word)
            let base = register & ~(kind.size - 1)
            guard base != 0 else { continue }
            ranges.append(PCIDecoding.Range(bar: bar, space: kind.space, base: base, size: kind.size))
        }
        return ranges
    }
}
