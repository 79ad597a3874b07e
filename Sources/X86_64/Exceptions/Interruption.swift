// SPDX-License-Identifier: Apache-2.0

/// Something that is delivered through the interrupt table: an exception, an interrupt, or INT n.
struct Interruption: Equatable, Sendable {
    /// What it came from, which decides about checks, EXT and double faults.
    enum Source: Sendable {
        /// An exception that the processor found.
        case exception
        /// An interrupt from outside, NMI included.
        case external
        /// INT n, INT3 and INTO: the gate's privilege counts.
        case software
        /// INT1: like an exception, behind its instruction.
        case privilegedSoftware
    }

    var vector: UInt8
    var source: Source
    /// What is pushed, if anything is.
    var code: UInt32?
    /// The instruction pointer that is pushed.
    var returnAddress: UInt64
    /// RF in the pushed flags: the instruction is begun again without an instruction breakpoint.
    var setsResume = false

    /// EXT in the error codes of what goes wrong during delivery (Intel SDM Vol 3A §7.13).
    var externalBit: UInt32 { source == .software ? 0 : 1 }
}

/// How exceptions meet (Intel SDM Vol 3A table 7-4).
enum ExceptionClass {
    case benign, contributory, pageFault, doubleFault

    init(vector: UInt8) {
        switch vector {
        case 0, 10, 11, 12, 13, 21: self = .contributory
        case 14, 20: self = .pageFault
        case 8: self = .doubleFault
        default: self = .benign
        }
    }

    /// What an exception of class `second` during the delivery of this one leads to (Intel SDM Vol 3A table 7-5).
    func meets(_ second: ExceptionClass) -> Meeting {
        switch (self, second) {
        case (.doubleFault, .contributory), (.doubleFault, .pageFault), (.doubleFault, .doubleFault): .shutdown
        case (.contributory, .contributory), (.pageFault, .contributory), (.pageFault, .pageFault): .doubleFault
        default: .second
        }
    }

    /// What is delivered in the end.
    enum Meeting { case second, doubleFault, shutdown }
}
