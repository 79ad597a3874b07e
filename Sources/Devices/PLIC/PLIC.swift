// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The platform-level interrupt controller (RISC-V PLIC 1.0.0; its chapters are named, as it numbers none by hand).
///
/// Sources are level-triggered wires, numbered from 1; contexts are a privilege mode of a hart each, as the board
/// numbers them. Output n is context n's external interrupt. The adaptor takes the lock for `setSource` as for an
/// access.
public final class PLIC: Device {
    /// What is saved and restored. The arrays of words hold a bit a source, source n in bit n mod 32 of word n / 32.
    public struct State: Equatable, Sendable {
        /// By source; 0 never interrupts, 7 is the highest.
        public internal(set) var priorities: [UInt8]
        /// By context: an interrupt must have a higher priority than this.
        public internal(set) var thresholds: [UInt8]
        /// By context and, in it, by word: the sources that may interrupt it.
        public internal(set) var enables: [UInt32]
        /// The request of a source has reached the core and is not claimed.
        public internal(set) var pending: [UInt32]
        /// The source was claimed and not completed: its gateway is shut.
        public internal(set) var inService: [UInt32]
        /// The level of each source's wire.
        public internal(set) var levels: [UInt32]
    }

    /// The highest priority and threshold.
    public static var highestPriority: UInt8 { 7 }

    /// The registers now.
    public internal(set) var state: State
    /// The highest source number.
    public let sources: Int
    /// How many contexts there are.
    public let contexts: Int
    /// Words of sources.
    let words: Int

    /// A controller of sources 1 up to `sources` (at most 1023) and `contexts` contexts (at most 64).
    public init(sources: Int, contexts: Int) {
        precondition(sources >= 1 && sources <= 1023, "a PLIC has 1 to 1023 sources")
        precondition(contexts >= 1 && contexts <= 64, "this PLIC has 1 to 64 contexts")
        self.sources = sources
        self.contexts = contexts
        words = sources / 32 + 1
        state = Self.initial(sources: sources, contexts: contexts, words: words)
    }

    /// The whole memory map of the specification: room for 15,872 contexts. A board may show less of it.
    public var windowSize: UInt64 { 0x400_0000 }

    /// EIP of each context ("Interrupt Notifications").
    public var interruptLevels: UInt64 {
        var levels: UInt64 = 0
        for context in 0..<contexts where best(of: context, above: state.thresholds[context]) != 0 {
            levels |= 1 << UInt64(context)
        }
        return levels
    }

    /// The wire of source `number` is now `level`. A number that is no source's is ignored.
    ///
    /// "Interrupt Gateways": the first assertion becomes a request, and nothing more until that is completed. A request
    /// that has reached the core is not taken back when the wire falls.
    public func setSource(_ number: Int, level: Bool) {
        guard let source = Source(number, of: self) else { return }
        if level { state.levels[source.word] |= source.bit } else { state.levels[source.word] &= ~source.bit }
        if level, state.inService[source.word] & source.bit == 0 { state.pending[source.word] |= source.bit }
    }

    /// "Interrupt Claim Process": the pending source of the highest priority, or 0. The threshold plays no part.
    func claim(_ context: Int) -> UInt32 {
        guard let source = Source(best(of: context, above: 0), of: self) else { return 0 }
        state.pending[source.word] &= ~source.bit
        state.inService[source.word] |= source.bit
        return UInt32(source.number)
    }

    /// "Interrupt Completion": opens the gateway, which looks at the wire again. Ignored unless the source is enabled
    /// for the context; whether it was claimed there is not asked.
    func complete(_ number: UInt32, _ context: Int) {
        guard let source = Source(Int(number), of: self) else { return }
        guard state.enables[context * words + source.word] & source.bit != 0 else { return }
        state.inService[source.word] &= ~source.bit
        state.pending[source.word] |= state.levels[source.word] & source.bit
    }

    /// The pending and enabled source of a priority higher than `threshold`: the highest, of equal ones the lowest
    /// number ("Interrupt Identifiers"). 0 if there is none.
    private func best(of context: Int, above threshold: UInt8) -> Int {
        var best = 0
        var priority = threshold
        for word in 0..<words {
            var candidates = state.pending[word] & state.enables[context * words + word]
            while candidates != 0 {
                let number = word * 32 + candidates.trailingZeroBitCount
                candidates &= candidates &- 1
                if state.priorities[number] > priority {
                    best = number
                    priority = state.priorities[number]
                }
            }
        }
        return best
    }

    /// All registers to zero. The wires keep their levels: what is asserted makes a request again.
    public func reset() {
        let levels = state.levels
        state = Self.initial(sources: sources, contexts: contexts, words: words)
        state.levels = levels
        state.pending = levels
    }

    private static func initial(sources: Int, contexts: Int, words: Int) -> State {
        let none = [UInt32](repeating: 0, count: words)
        return State(
            priorities: Array(repeating: 0, count: sources + 1), thresholds: Array(repeating: 0, count: contexts),
            enables: Array(repeating: 0, count: words * contexts), pending: none, inService: none, levels: none)
    }

    /// Where a source's bit lies. Source 0 does not exist.
    struct Source {
        let number: Int
        var word: Int { number / 32 }
        var bit: UInt32 { 1 << UInt32(number % 32) }

        init?(_ number: Int, of plic: PLIC) {
            guard number >= 1, number <= plic.sources else { return nil }
            self.number = number
        }
    }
}
