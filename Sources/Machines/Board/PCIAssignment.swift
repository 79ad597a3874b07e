// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What firmware does to PCI before it starts a system: every base address gets a place, memory and ports are decoded,
/// and a note says which interrupt of the old controllers a pin reaches. Systems without drivers of their own for that
/// rely on it; others move things as they like.
struct PCIAssignment {
    /// What is left of each window.
    private(set) var memory: Range<UInt64>
    private(set) var highMemory: Range<UInt64>
    private(set) var ports: Range<UInt64>
    private let interrupt: (Int) -> UInt8

    /// Places within these windows; `interrupt` says which input of the old controllers a line reaches.
    init(
        memory: Range<UInt64>, highMemory: Range<UInt64>, ports: Range<UInt64>, interrupt: @escaping (Int) -> UInt8
    ) {
        self.memory = memory
        self.highMemory = highMemory
        self.ports = ports
        self.interrupt = interrupt
    }

    /// Sets up `function`. What finds no place stays where it was, undecoded.
    mutating func assign(_ function: any PCIFunction, at address: PCIAddress) {
        var command: PCICommand = []
        for bar in 0..<6 {
            guard let kind = function.configuration.baseAddress(bar), let base = take(kind) else { continue }
            let register = PCIRegister.bar0 + bar * 4
            function.writeConfiguration(base & 0xFFFF_FFFF, at: register, width: .word)
            if kind.is64Bit { function.writeConfiguration(base >> 32, at: register + 4, width: .word) }
            command.insert(kind.space == .io ? .ioSpace : .memorySpace)
        }
        function.writeConfiguration(UInt64(command.rawValue), at: PCIRegister.command, width: .half)
        let pin = function.configuration.interruptPin
        guard pin != .none else { return }
        let line = PCIInterruptRouting.line(device: address.device, pin: pin)
        function.writeConfiguration(UInt64(interrupt(line)), at: PCIRegister.interruptLine, width: .byte)
    }

    private mutating func take(_ kind: PCIBaseAddress) -> UInt64? {
        switch kind.space {
        case .io: Self.take(kind.size, from: &ports)
        case .memory where kind.is64Bit: Self.take(kind.size, from: &highMemory)
        case .memory: Self.take(kind.size, from: &memory)
        }
    }

    private static func take(_ size: UInt64, from window: inout Range<UInt64>) -> UInt64? {
        let base = (window.lowerBound + size - 1) & ~(size - 1)
        guard base <= window.upperBound, size <= window.upperBound - base else { return nil }
        window = base + size..<window.upperBound
        return base
    }
}

extension PCIBoard {
    /// Sets up all functions as firmware would.
    func assign(_ assignment: PCIAssignment) {
        var assignment = assignment
        for case let slot as PCISlot in residents { slot.change { assignment.assign($0, at: slot.address) } }
    }
}
