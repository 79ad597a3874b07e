// SPDX-License-Identifier: Apache-2.0

/// One register as a debugger knows it.
package struct DebugRegister: Equatable, Sendable {
    /// The number in the protocol.
    package let number: Int
    package let name: String
    /// 8 to 64, a multiple of 8.
    package let bits: Int
    /// A type of the target description: `int`, `code_ptr`, or the id of one that the feature defines.
    package let type: String
    /// The debugger's register group, or nil for its default.
    package let group: String?

    package init(_ number: Int, _ name: String, bits: Int = 64, type: String = "int", group: String? = nil) {
        self.number = number
        self.name = name
        self.bits = bits
        self.type = type
        self.group = group
    }
}

/// The registers of an architecture by feature, and the XML that announces them
/// (GDB manual, appendix G "Target Descriptions").
package struct DebugRegisterSet: Sendable {
    /// A standard feature: its registers have the meaning that the debugger knows by its name.
    package struct Feature: Sendable {
        package let name: String
        /// XML that defines types, ahead of the registers.
        package let types: String
        package let registers: [DebugRegister]

        package init(_ name: String, types: String = "", registers: [DebugRegister]) {
            self.name = name
            self.types = types
            self.registers = registers
        }
    }

    /// The architecture's name as the debugger spells it.
    package let architecture: String
    package let features: [Feature]
    /// The registers that a `g` packet carries, in order; the debugger asks for the others one by one.
    package let general: [DebugRegister]
    /// The program counter's number.
    package let programCounter: Int
    private let byNumber: [Int: DebugRegister]

    /// A set whose `g` packet carries the first feature.
    package init(architecture: String, features: [Feature], programCounter: Int) {
        self.architecture = architecture
        self.features = features
        self.general = features.first?.registers ?? []
        self.programCounter = programCounter
        byNumber = Dictionary(
            features.flatMap(\.registers).map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The register with this number, or nil.
    package subscript(number: Int) -> DebugRegister? { byNumber[number] }

    /// The target description.
    package var description: String {
        var xml = "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
        xml += "  <architecture>\(architecture)</architecture>\n"
        for feature in features {
            xml += "  <feature name=\"\(feature.name)\">\n\(feature.types)"
            for register in feature.registers {
                xml += "    <reg name=\"\(register.name)\" bitsize=\"\(register.bits)\" regnum=\"\(register.number)\""
                xml += " type=\"\(register.type)\""
                if let group = register.group { xml += " group=\"\(group)\"" }
                xml += "/>\n"
            }
            xml += "  </feature>\n"
        }
        return xml + "</target>\n"
    }
}
