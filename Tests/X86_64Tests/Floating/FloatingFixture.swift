// SPDX-License-Identifier: Apache-2.0
import MachineCore
import VMMemory
import X86Oracle

@testable import X86_64

/// A processor in 64-bit mode without paging that executes single instructions of the floating rooms, on the same
/// registers and memory as the host does.
final class FloatingFixture {
    /// Where the operands' memory is.
    static let data: UInt64 = 0x4000
    let host: UnsafeMutableRawPointer
    let processor: Processor

    init() {
        let bytes = 1 << 16
        host = .allocate(byteCount: bytes, alignment: 4096)
        host.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        let region = MemoryRegion(base: GuestAddress(0), size: UInt64(bytes), host: host)
        var model = CPUModel.maximum
        model.features = .interpreter
        processor = Processor(
            .init(id: 0, model: model, codeCacheBytes: 1 << 20), memory: GuestMemory(regions: [region]),
            door: NoDoor())
        var state = ProcessorState()
        state.cr0 = CR0.pe | CR0.et | CR0.ne
        state.cr4 = CR4.osfxsr | CR4.osxmmexcpt | CR4.osxsave
        state.efer = EFER.lma | EFER.lme
        state.xcr0 = 7
        let code = AccessRights(type: 11, privilege: 0).union(.long)
        let data = AccessRights(type: 3, privilege: 0).union(.big)
        for index in 0..<6 {
            state.segments[index] = SegmentRegister(limit: .max, rights: index == 1 ? code : data)
        }
        processor.registers = state
        processor.stateChanged()
    }

    deinit { host.deallocate() }

    private static let numbers = [0, 1, 2, 3, 6, 7]

    /// Loads what the host's instruction begins with; rdi points at the operands' memory here.
    func load(_ native: x86_run_state) {
        var native = native
        withUnsafeBytes(of: &native) { bytes in
            let quads = bytes.bindMemory(to: UInt64.self)
            for (place, register) in Self.numbers.enumerated() { processor[general: register] = quads[place] }
            processor[general: 7] = Self.data + 64
            processor.rflags = quads[6] | 0x200
            processor.registers.mxcsr = UInt32(truncatingIfNeeded: quads[7])
            for index in 0..<64 { processor.registers.vectors[index] = quads[8 + index] }
            let image = UnsafeRawBufferPointer(rebasing: bytes[576...])
            guard let x87 = image.baseAddress, let first = bytes.baseAddress else { return }
            processor.registers.x87Control = x87.loadUnaligned(as: UInt16.self)
            processor.registers.x87Status = x87.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
            processor.registers.x87Tags = UInt16(x87.load(fromByteOffset: 4, as: UInt8.self))
            processor.updateX87Summary()
            for index in 0..<8 {
                let physical = processor.x87Physical(UInt8(index))
                let register = x87 + 32 + 16 * index
                processor.registers.x87Significands[physical] = register.loadUnaligned(as: UInt64.self)
                processor.registers.x87Exponents[physical] = register.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
            }
            (host + Int(Self.data)).copyMemory(from: first + 1152, byteCount: 256)
        }
    }

    /// What differs from the host's state after the instruction, or nil. `flags`: the defined ones.
    func difference(from native: x86_run_state, flags: UInt64) -> String? {
        var native = native
        return withUnsafeBytes(of: &native) { bytes -> String? in
            let quads = bytes.bindMemory(to: UInt64.self)
            for (place, register) in Self.numbers.enumerated() where register != 7 {
                if processor[general: register] != quads[place] {
                    return "r\(register) \(hex(processor[general: register])), host \(hex(quads[place]))"
                }
            }
            if (processor.rflags ^ quads[6]) & flags != 0 {
                return "flags \(hex(processor.rflags & flags)), host \(hex(quads[6] & flags))"
            }
            if UInt64(processor.registers.mxcsr) != quads[7] {
                return "mxcsr \(hex(UInt64(processor.registers.mxcsr))), host \(hex(quads[7]))"
            }
            for index in 0..<64 where processor.registers.vectors[index] != quads[8 + index] {
                return "vector \(index / 4) part \(index % 4) \(hex(processor.registers.vectors[index])), "
                    + "host \(hex(quads[8 + index]))"
            }
            if let x87 = bytes.baseAddress.flatMap({ differenceOfX87($0 + 576) }) { return x87 }
            for index in 0..<256 {
                let (soft, hard) = (
                    (host + Int(Self.data)).load(fromByteOffset: index, as: UInt8.self), bytes[1152 + index]
                )
                if soft != hard { return "memory \(index) \(soft), host \(hard)" }
            }
            return nil
        }
    }

    private func differenceOfX87(_ image: UnsafeRawPointer) -> String? {
        let status = image.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        if processor.registers.x87Control != image.loadUnaligned(as: UInt16.self) { return "control" }
        if processor.registers.x87Status != status {
            return "status \(hex(UInt64(processor.registers.x87Status))), host \(hex(UInt64(status)))"
        }
        let tags = image.load(fromByteOffset: 4, as: UInt8.self)
        if UInt8(truncatingIfNeeded: processor.registers.x87Tags) != tags {
            return "tags \(hex(UInt64(processor.registers.x87Tags))), host \(hex(UInt64(tags)))"
        }
        for index in 0..<8 {
            let physical = processor.x87Physical(UInt8(index))
            let significand = (image + 32 + 16 * index).loadUnaligned(as: UInt64.self)
            let exponent = (image + 40 + 16 * index).loadUnaligned(as: UInt16.self)
            let soft = (processor.registers.x87Significands[physical], processor.registers.x87Exponents[physical])
            if soft != (significand, exponent) {
                return
                    "st(\(index)) \(hex(UInt64(soft.1))):\(hex(soft.0)), host \(hex(UInt64(exponent))):\(hex(significand))"
            }
        }
        return nil
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}

/// A door to nothing.
private final class NoDoor: ProcessorDoor {
    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? { nil }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool { false }
    func time() -> UInt64 { 0 }
    func random() -> UInt64 { 0 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { 0 }
    func portRead(at port: UInt16, width: AccessWidth) -> UInt64 { width.mask }
    func portWrite(_ value: UInt64, at port: UInt16, width: AccessWidth) {}
    func acknowledge() -> UInt8? { nil }
    func take(_ event: ProcessorEvents) -> Bool { false }
    func unblockNonMaskable() {}
    func takeStartUp() -> UInt8? { nil }
    func taskPriority() -> UInt8 { 0 }
    func setTaskPriority(_ priority: UInt8) {}
    func readLocalRegister(_ index: UInt32) -> UInt64? { nil }
    func writeLocalRegister(_ value: UInt64, _ index: UInt32) -> Bool { false }
    func setTimeStampOffset(_ offset: UInt64) {}
}
