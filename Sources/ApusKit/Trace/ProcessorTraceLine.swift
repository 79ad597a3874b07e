// SPDX-License-Identifier: Apache-2.0

/// One transition of an x86-64 processor as text.
struct ProcessorTraceLine {
    let processor: Int
    let from: UInt8
    let to: UInt8
    let rip: UInt64
    /// Of an exception or interrupt; nil for a call or return.
    let vector: UInt8?
    /// The error code.
    let code: UInt32

    /// One line, ended: `processor 0 3>0 exception 14 page fault rip 0x… code 0x…`.
    var text: String {
        let what =
            if let vector {
                vector < 32 ? "exception \(vector) \(Self.name(vector))" : "interrupt \(vector)"
            } else {
                "transfer"
            }
        return "processor \(processor) \(from)>\(to) \(what) rip 0x\(TextTable.hex(rip)) "
            + "code 0x\(String(code, radix: 16))\n"
    }

    /// Intel SDM Vol 3A §6.15, table 6-1.
    private static func name(_ vector: UInt8) -> String {
        switch vector {
        case 0: "divide error"
        case 1: "debug"
        case 2: "NMI"
        case 3: "breakpoint"
        case 4: "overflow"
        case 5: "bound range"
        case 6: "invalid opcode"
        case 7: "device not available"
        case 8: "double fault"
        case 10: "invalid TSS"
        case 11: "segment not present"
        case 12: "stack fault"
        case 13: "general protection"
        case 14: "page fault"
        case 16: "floating point"
        case 17: "alignment check"
        case 18: "machine check"
        case 19: "vector floating point"
        case 21: "control protection"
        default: "reserved"
        }
    }
}
