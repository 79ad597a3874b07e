// SPDX-License-Identifier: Apache-2.0

import Devices
import MachineCore

/// A board with one PCI bus, and a driver's hands on it: the steps that stand at `PCIFunction`, in one thread and
/// without locks.
final class MockPCIBus {
    private let host = PCIHost()
    private var functions: [PCIAddress: any PCIFunction] = [:]

    /// Puts `function` into slot `device`.
    func plug(_ function: any PCIFunction, device: UInt8) {
        functions[PCIAddress(device: device)] = function
    }

    /// The levels of the four interrupt lines.
    var lines: UInt64 { host.interruptLevels }

    func readConfiguration(_ device: UInt8, _ register: Int, _ width: AccessWidth = .word) -> UInt64 {
        let target = ecam(device, register)
        return call(target.function) { $0.readConfiguration(at: target.register, width: width) }
            ?? PCIHost.unanswered & width.mask
    }

    func writeConfiguration(_ value: UInt64, _ device: UInt8, _ register: Int, _ width: AccessWidth = .word) {
        let target = ecam(device, register)
        call(target.function) { $0.writeConfiguration(value & width.mask, at: target.register, width: width) }
    }

    /// Reads memory (or ports) as a vCPU does: all ones where nothing answers.
    func read(_ address: UInt64, _ width: AccessWidth, in space: PCISpace = .memory) -> UInt64 {
        guard let target = host.target(in: space, at: address, width: width) else {
            return PCIHost.unanswered & width.mask
        }
        return call(target.function) { $0.read(bar: target.bar, at: target.offset, width: width) & width.mask }
            ?? PCIHost.unanswered & width.mask
    }

    func write(_ value: UInt64, _ address: UInt64, _ width: AccessWidth, in space: PCISpace = .memory) {
        guard let target = host.target(in: space, at: address, width: width) else { return }
        call(target.function) { $0.write(value & width.mask, bar: target.bar, at: target.offset, width: width) }
    }

    /// What a driver does first: learns the size of 32-bit base address `bar`, puts it at `address`, and lets the
    /// function answer and write memory. Answers the size.
    @discardableResult
    func enable(_ device: UInt8, bar: Int, at address: UInt64) -> UInt64 {
        let register = PCIRegister.bar0 + 4 * bar
        writeConfiguration(0xFFFF_FFFF, device, register)
        let size = (~(readConfiguration(device, register) & ~15) & 0xFFFF_FFFF) + 1
        writeConfiguration(address, device, register)
        let command: PCICommand = [.ioSpace, .memorySpace, .busMaster]
        writeConfiguration(UInt64(command.rawValue), device, PCIRegister.command, .half)
        return size
    }

    private func ecam(_ device: UInt8, _ register: Int) -> PCIHost.ConfigurationTarget {
        PCIHost.configurationTarget(ecam: UInt64(device) << 15 | UInt64(register))
    }

    @discardableResult
    private func call<T>(_ address: PCIAddress, _ body: (any PCIFunction) -> T) -> T? {
        guard let function = functions[address] else { return nil }
        let result = body(function)
        let configuration = function.configuration
        if let decoding = configuration.takeDecodingChange() { host.setDecoding(decoding, of: address) }
        let work = function.takeWork()
        host.setInterrupt(function.interruptLevel, of: address, pin: configuration.interruptPin)
        work?()
        return result
    }
}
