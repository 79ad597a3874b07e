// SPDX-License-Identifier: Apache-2.0

/// Why a file is no ELF program that the machine can load: what follows the file's name in a sentence.
public enum ELFError: Error, Equatable, Sendable, CustomStringConvertible {
    case notELF
    case notRISCV64(machine: UInt16)
    case notPC(machine: UInt16)
    case wrongClass
    case wrongByteOrder
    case notExecutable(type: UInt16)
    case truncated(String)
    case badHeader(String)
    case badSegment(index: Int, String)
    case nothingToLoad

    public var description: String {
        switch self {
        case .notELF: "is not an ELF file"
        case .notRISCV64(let machine): "is an ELF file for machine type \(machine), not for RISC-V (243)"
        case .notPC(let machine):
            "is an ELF file for machine type \(machine), not for x86-64 (62) or, in 32 bits, IA-32 (3)"
        case .wrongByteOrder: "is not a little-endian ELF file; an x86-64 machine runs no other"
        case .wrongClass: "is not a 64-bit little-endian ELF file; a riscv64 machine runs no other"
        case .notExecutable(let type):
            "is an ELF file of type \(type), neither an executable (2) nor position-independent (3): link it first"
        case .truncated(let part): "is cut short: its \(part) lies past the end of the file"
        case .badHeader(let text): "has a damaged ELF header: \(text)"
        case .badSegment(let index, let text): "has a damaged program header \(index): \(text)"
        case .nothingToLoad: "is an ELF file with nothing to load"
        }
    }
}
