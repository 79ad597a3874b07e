// SPDX-License-Identifier: Apache-2.0

/// Half precision in memory (Intel SDM Vol 1 §14.4).
enum ExtensionF16C {
    static let rows: [InstructionRow] = [
        .vector("vcvtph2ps", .vex(.map38, 0x13, .p66, .l128, w: .w0), .init(.Vx, .Wsd), .widen2, .cvtph2ps, .f16c),
        .vector("vcvtph2ps", .vex(.map38, 0x13, .p66, .l256, w: .w0), .init(.Vx, .Wdq), .widen2, .cvtph2ps, .f16c),
        .vector(
            "vcvtps2ph", .vex(.map3A, 0x1d, .p66, .any, w: .w0), .init(.Wsd, .Vx, .Ib), .narrowHalf, .cvtps2ph, .f16c),
    ]
}
