// SPDX-License-Identifier: Apache-2.0

/// Saving the state of all this (Intel SDM Vol 1 §10.5, §13).
enum ExtensionXSAVE {
    static let rows: [InstructionRow] = [
        .vector(
            "fxsave|fxsave|fxsave64", .two(0xae, 0, prefix: .np).onMemory, .init(.Mstate), .saveArea, .fxsave, .fxsr),
        .vector(
            "fxrstor|fxrstor|fxrstor64", .two(0xae, 1, prefix: .np).onMemory, .init(.Mstate), .saveArea, .fxrstor, .fxsr
        ),
        .vector("xsave|xsave|xsave64", .two(0xae, 4, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xsave, .xsave),
        .vector(
            "xrstor|xrstor|xrstor64", .two(0xae, 5, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xrstor, .xsave),
        .vector(
            "xsaveopt|xsaveopt|xsaveopt64", .two(0xae, 6, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xsaveopt,
            .xsaveopt),
        .vector(
            "xsavec|xsavec|xsavec64", .two(0xc7, 4, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xsavec, .xsavec),
        .vector(
            "xrstors|xrstors|xrstors64", .two(0xc7, 3, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xrstors,
            .xsaves),
        .vector(
            "xsaves|xsaves|xsaves64", .two(0xc7, 5, prefix: .np).onMemory, .init(.Mstate), .saveArea, .xsaves, .xsaves),
    ]
}
