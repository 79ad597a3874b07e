// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore
import Synchronization

/// The interrupt wires of the x86-64 machine between its devices and its two kinds of controllers.
///
/// Several devices may pull at one wire: a wire is up while any of them does. A wire's number is its input at the
/// IOAPIC, but for ISA's interrupt 0, which goes to input 2; 0 to 15 reach the PICs too, and PCI's four lines those of
/// their inputs that `PCInterrupt.legacyPCI` names.
final class PCLines: Sendable {
    /// Who pulls.
    enum Source: Int, Sendable {
        /// A device that has the wire to itself, or PCI's lines.
        case device
        case eventTimer
        case legacyEventTimer
        /// The wires that test programs pull.
        case testDevice
    }

    private struct State {
        /// By wire, a bit a source.
        var pulls = [UInt8](repeating: 0, count: PCInterrupt.ioapicInputs)
        /// The HPET has taken the places of PIT and RTC (HPET 1.0a §2.3.5).
        var isReplaced = false
        /// What the PICs' inputs and the IOAPIC's carry, a bit an input.
        var pics: UInt32 = 0
        var ioapic: UInt32 = 0
    }

    // Held while wires are driven, so that what was seen last is driven last. Controllers call nobody here.
    private let state = Mutex(State())
    private let pics: BoardSlot<PICPair>
    private let ioapic: BoardSlot<IOAPIC>

    init(pics: BoardSlot<PICPair>, ioapic: BoardSlot<IOAPIC>) {
        self.pics = pics
        self.ioapic = ioapic
    }

    /// The end of a source's wires: input n is wire n.
    func input(_ source: Source) -> any InterruptSink { Inputs(lines: self, source: source) }

    /// The wire `number` of a device's own.
    func line(_ number: Int) -> InterruptLine { InterruptLine(to: input(.device), number: number) }

    private final class Inputs: InterruptSink {
        let lines: PCLines
        let source: Source

        init(lines: PCLines, source: Source) {
            self.lines = lines
            self.source = source
        }

        func setLine(_ number: Int, level: Bool) { lines.set(number, source, level: level) }
    }

    private func set(_ number: Int, _ source: Source, level: Bool) {
        guard (0..<PCInterrupt.ioapicInputs).contains(number) else { return }
        state.withLock { state in
            let bit = UInt8(1) << UInt8(source.rawValue)
            if level { state.pulls[number] |= bit } else { state.pulls[number] &= ~bit }
            drive(&state)
        }
    }

    /// PIT and RTC are cut off, or connected again.
    func setReplaced(_ isReplaced: Bool) {
        state.withLock { state in
            state.isReplaced = isReplaced
            drive(&state)
        }
    }

    private func drive(_ state: inout State) {
        var pics: UInt32 = 0
        var ioapic: UInt32 = 0
        for number in state.pulls.indices where isUp(number, state) {
            let input = number == PCInterrupt.timer ? PCInterrupt.ioapicTimer : number
            ioapic |= 1 << UInt32(input)
            if number < 16 {
                pics |= 1 << UInt32(number)
            } else if number - PCInterrupt.pciFirst < PCInterrupt.legacyPCI.count {
                pics |= 1 << UInt32(PCInterrupt.legacyPCI[number - PCInterrupt.pciFirst])
            }
        }
        let changedPICs = pics ^ state.pics
        let changedIOAPIC = ioapic ^ state.ioapic
        (state.pics, state.ioapic) = (pics, ioapic)
        if changedPICs != 0 {
            self.pics.change { chip in
                for number in 0..<16 where changedPICs >> UInt32(number) & 1 != 0 {
                    chip.setInput(number, level: pics >> UInt32(number) & 1 != 0)
                }
            }
        }
        if changedIOAPIC != 0 {
            self.ioapic.change { chip in
                for number in 0..<PCInterrupt.ioapicInputs where changedIOAPIC >> UInt32(number) & 1 != 0 {
                    chip.setPin(number, asserted: ioapic >> UInt32(number) & 1 != 0)
                }
            }
        }
    }

    private func isUp(_ number: Int, _ state: State) -> Bool {
        var pulls = state.pulls[number]
        let isLegacy = number == PCInterrupt.timer || number == PCInterrupt.realTimeClock
        if isLegacy, state.isReplaced { pulls &= ~1 }
        return pulls != 0
    }
}
