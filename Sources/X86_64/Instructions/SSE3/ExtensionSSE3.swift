// SPDX-License-Identifier: Apache-2.0

/// Horizontal and alternating arithmetic (Intel SDM Vol 1 §12.3).
enum ExtensionSSE3 {
    static let rows: [InstructionRow] = [
        .vector("haddpd", .two(0x7c, prefix: .p66), .init(.Vx, .Wx), .lanes, .haddpd, .sse3),
        .vector("haddps", .two(0x7c, prefix: .f2), .init(.Vx, .Wx), .lanes, .haddps, .sse3),
        .vector("hsubpd", .two(0x7d, prefix: .p66), .init(.Vx, .Wx), .lanes, .hsubpd, .sse3),
        .vector("hsubps", .two(0x7d, prefix: .f2), .init(.Vx, .Wx), .lanes, .hsubps, .sse3),
        .vector("addsubpd", .two(0xd0, prefix: .p66), .init(.Vx, .Wx), .lanes, .addsubpd, .sse3),
        .vector("addsubps", .two(0xd0, prefix: .f2), .init(.Vx, .Wx), .lanes, .addsubps, .sse3),
        .vector("lddqu", .two(0xf0, prefix: .f2).onMemory, .init(.Vx, .Wx), .load, .move, .sse3),
        .vector("movsldup", .two(0x12, prefix: .f3), .init(.Vx, .Wx), .unary, .movsldup, .sse3),
        .vector("movshdup", .two(0x16, prefix: .f3), .init(.Vx, .Wx), .unary, .movshdup, .sse3),
        .vector("movddup", .two(0x12, prefix: .f2), .init(.Vx, .Wx), .loadDuplicated, .movddup, .sse3),
    ]
}
