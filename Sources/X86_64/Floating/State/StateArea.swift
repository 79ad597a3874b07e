// SPDX-License-Identifier: Apache-2.0

import SoftFloat

/// The memory that FXSAVE and XSAVE write: 512 bytes for x87, MXCSR and the vectors' lower halves, then XSAVE's header
/// and what came later (Intel SDM Vol 1 §10.5.1, §13.4).
struct StateArea {
    let processor: Processor
    let address: UInt64
    let stack: Bool
    /// Pointers of 64 bits without selectors (REX.W).
    let wide: Bool

    /// The legacy region as it was read.
    struct Image {
        var words: [UInt64]
        var mxcsr: UInt32 { UInt32(truncatingIfNeeded: words[3]) }
    }

    func load(_ offset: UInt64) -> UInt64? {
        processor.load(UInt64.self, at: processor.wrapped(address &+ offset), stack: stack)
    }

    func store(_ value: UInt64, _ offset: UInt64) -> Bool {
        processor.store(value, at: processor.wrapped(address &+ offset), stack: stack)
    }

    /// The control, status, tag and opcode words, the pointers, and ST(0) to ST(7).
    func saveX87() -> Bool {
        let current = processor.state.pointee
        let first =
            UInt64(current.x87Control) | UInt64(current.x87Status) << 16 | UInt64(current.x87Tags & 0xff) << 32
            | UInt64(current.x87Opcode & 0x7ff) << 48
        let instruction =
            wide
            ? current.x87Instruction
            : current.x87Instruction & 0xffff_ffff | UInt64(current.x87InstructionSelector) << 32
        let operand =
            wide ? current.x87Operand : current.x87Operand & 0xffff_ffff | UInt64(current.x87OperandSelector) << 32
        guard store(first, 0), store(instruction, 8), store(operand, 16) else { return false }
        for index in 0..<UInt8(8) {
            let value = processor.x87(index)
            let offset = 32 + 16 * UInt64(index)
            guard store(value.significand, offset), store(UInt64(value.signExponent), offset + 8) else { return false }
        }
        return true
    }

    /// MXCSR and its mask.
    func saveControl() -> Bool {
        store(UInt64(processor.state.pointee.mxcsr) | UInt64(processor.mxcsrMask) << 32, 24)
    }

    /// The lower halves of the vectors that the mode reaches.
    func saveVectors() -> Bool {
        for register in 0..<processor.accessibleVectors {
            let lane = processor.vector(register).lower
            let offset = 160 + 16 * UInt64(register)
            guard store(lane.low, offset), store(lane.high, offset + 8) else { return false }
        }
        return true
    }

    /// The upper halves.
    func saveUpperVectors() -> Bool {
        for register in 0..<processor.accessibleVectors {
            let lane = processor.vector(register).upper
            let offset = 576 + 16 * UInt64(register)
            guard store(lane.low, offset), store(lane.high, offset + 8) else { return false }
        }
        return true
    }

    func loadUpperVectors() -> [Lane]? {
        var lanes: [Lane] = []
        for register in 0..<processor.accessibleVectors {
            let offset = 576 + 16 * UInt64(register)
            guard let low = load(offset), let high = load(offset + 8) else { return nil }
            lanes.append(Lane(low: low, high: high))
        }
        return lanes
    }

    /// The legacy region up to the last vector that the mode reaches.
    func loadLegacy() -> Image? {
        var words: [UInt64] = []
        for offset in stride(from: 0, to: 160 + 16 * UInt64(processor.accessibleVectors), by: 8) {
            guard let word = load(offset) else { return nil }
            words.append(word)
        }
        return Image(words: words)
    }

    /// Loads x87 and the lower halves from `image`, as far as `components` names them.
    func apply(_ image: Image, _ components: UInt64) {
        if components & StateComponents.x87 != 0 { applyX87(image) }
        guard components & StateComponents.sse != 0 else { return }
        for register in 0..<processor.accessibleVectors {
            let first = 20 + 2 * Int(register)
            processor.setLowerLane(register, Lane(low: image.words[first], high: image.words[first + 1]))
        }
    }

    private func applyX87(_ image: Image) {
        let state = processor.state
        let first = image.words[0]
        state.pointee.x87Status = UInt16(truncatingIfNeeded: first >> 16)
        state.pointee.x87Tags = UInt16(truncatingIfNeeded: first >> 32) & 0xff
        state.pointee.x87Opcode = UInt16(truncatingIfNeeded: first >> 48) & 0x7ff
        processor.setX87Control(UInt16(truncatingIfNeeded: first))
        state.pointee.x87Instruction = wide ? image.words[1] : image.words[1] & 0xffff_ffff
        state.pointee.x87Operand = wide ? image.words[2] : image.words[2] & 0xffff_ffff
        state.pointee.x87InstructionSelector = wide ? 0 : UInt16(truncatingIfNeeded: image.words[1] >> 32)
        state.pointee.x87OperandSelector = wide ? 0 : UInt16(truncatingIfNeeded: image.words[2] >> 32)
        for index in 0..<UInt8(8) {
            let physical = processor.x87Physical(index)
            state.pointee.x87Significands[physical] = image.words[4 + 2 * Int(index)]
            state.pointee.x87Exponents[physical] = UInt16(truncatingIfNeeded: image.words[5 + 2 * Int(index)])
        }
    }
}
