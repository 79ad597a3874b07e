// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The memory map ("Memory Map"). All registers have 32 bits; who writes them: h hardware, g guest.
///
///     0x000000 + 4 * source                    priority of a source, 2:0, g
///     0x001000 + 4 * word                      pending bits of 32 sources, h
///     0x002000 + 0x80 * context + 4 * word     enable bits of 32 sources for a context, g
///     0x200000 + 0x1000 * context              priority threshold of a context, 2:0, g
///     0x200004 + 0x1000 * context              read: claim; write: complete
private enum Register {
    case priority(source: Int)
    case pending(word: Int)
    case enable(context: Int, word: Int)
    case threshold(context: Int)
    case claim(context: Int)

    static var pendingBase: UInt64 { 0x001000 }
    static var enableBase: UInt64 { 0x002000 }
    static var enableStride: UInt64 { 0x80 }
    static var contextBase: UInt64 { 0x200000 }
    static var contextStride: UInt64 { 0x1000 }

    /// The register at `offset`, or nil where `plic` has none or the access is not an aligned word.
    init?(_ offset: UInt64, _ width: AccessWidth, of plic: PLIC) {
        guard width == .word, offset & 3 == 0, offset < plic.windowSize else { return nil }
        switch offset {
        case ..<Self.pendingBase:
            guard let source = PLIC.Source(Int(offset / 4), of: plic) else { return nil }
            self = .priority(source: source.number)
        case ..<Self.enableBase:
            let word = Int((offset - Self.pendingBase) / 4)
            guard word < plic.words else { return nil }
            self = .pending(word: word)
        case ..<Self.contextBase:
            let (context, byte) = (offset - Self.enableBase).quotientAndRemainder(dividingBy: Self.enableStride)
            guard context < plic.contexts, byte / 4 < plic.words else { return nil }
            self = .enable(context: Int(context), word: Int(byte / 4))
        default:
            let (context, byte) = (offset - Self.contextBase).quotientAndRemainder(dividingBy: Self.contextStride)
            guard context < plic.contexts, byte <= 4 else { return nil }
            self = byte == 0 ? .threshold(context: Int(context)) : .claim(context: Int(context))
        }
    }
}

extension PLIC {
    public func read(at offset: UInt64, width: AccessWidth) -> UInt64 {
        switch Register(offset, width, of: self) {
        case .priority(let source): UInt64(state.priorities[source])
        case .pending(let word): UInt64(state.pending[word])
        case .enable(let context, let word): UInt64(state.enables[context * words + word])
        case .threshold(let context): UInt64(state.thresholds[context])
        case .claim(let context): UInt64(claim(context))
        case nil: 0
        }
    }

    public func write(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        let value = UInt32(truncatingIfNeeded: value)
        switch Register(offset, width, of: self) {
        case .priority(let source): state.priorities[source] = priority(value)
        case .enable(let context, let word): state.enables[context * words + word] = value & existing(word)
        case .threshold(let context):
            state.thresholds[context] = UInt8(truncatingIfNeeded: value) & Self.highestPriority
        case .claim(let context): complete(value, context)
        case .pending, nil: break
        }
    }

    /// WARL: of any value the low bits are kept ("Interrupt Priorities").
    private func priority(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value) & Self.highestPriority }

    /// The bits of `word` that are sources: neither 0 nor past the last.
    private func existing(_ word: Int) -> UInt32 {
        let last = sources - word * 32
        let upTo: UInt32 = last >= 31 ? .max : (1 << UInt32(last + 1)) &- 1
        return word == 0 ? upTo & ~1 : upTo
    }
}
