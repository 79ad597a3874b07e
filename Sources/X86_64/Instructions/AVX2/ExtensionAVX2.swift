// SPDX-License-Identifier: Apache-2.0

/// 256 bits for integers, gathers, permutations (Intel SDM Vol 1 §14.7).
enum ExtensionAVX2 {
    static let rows: [InstructionRow] = [
        .vector("vmovntdqa", .vex(.map38, 0x2a, .p66, .l256).onMemory, .init(.Vx, .Wx), .loadAligned, .move, .avx2),
        .vector("vmpsadbw", .vex(.map3A, 0x42, .p66, .l256), .init(.Vx, .Hx, .Wx, .Ib), .lanes, .mpsadbw, .avx2),
        .vector(
            "vbroadcastss", .vex(.map38, 0x18, .p66, .any, w: .w0).onRegisters, .init(.Vx, .Wss), .broadcast4,
            .broadcast, .avx2),
        .vector(
            "vbroadcastsd", .vex(.map38, 0x19, .p66, .l256, w: .w0).onRegisters, .init(.Vx, .Wsd), .broadcast8,
            .broadcast, .avx2),
        .vector(
            "vbroadcasti128", .vex(.map38, 0x5a, .p66, .l256, w: .w0).onMemory, .init(.Vx, .Mdq), .broadcast16,
            .broadcast, .avx2),
        .vector(
            "vinserti128", .vex(.map3A, 0x38, .p66, .l256, w: .w0), .init(.Vqq, .Hqq, .Wdq, .Ib), .insert128,
            .insert128, .avx2),
        .vector(
            "vextracti128", .vex(.map3A, 0x39, .p66, .l256, w: .w0), .init(.Wdq, .Vqq, .Ib), .extract128, .extract128,
            .avx2),
        .vector(
            "vgatherdps", .vex(.map38, 0x92, .p66, .any, w: .w0).onMemory, .init(.Vx, .VMd, .Hx), .gather32by32,
            .gather, .avx2),
        .vector(
            "vgatherdpd", .vex(.map38, 0x92, .p66, .any, w: .w1).onMemory, .init(.Vx, .VMd, .Hx), .gather64by32,
            .gather, .avx2),
        .vector(
            "vgatherqps", .vex(.map38, 0x93, .p66, .any, w: .w0).onMemory, .init(.Vdq, .VMq, .Hdq), .gather32by64,
            .gather, .avx2),
        .vector(
            "vgatherqpd", .vex(.map38, 0x93, .p66, .any, w: .w1).onMemory, .init(.Vx, .VMq, .Hx), .gather64by64,
            .gather, .avx2),
    ]
}
