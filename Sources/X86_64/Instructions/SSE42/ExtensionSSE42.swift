// SPDX-License-Identifier: Apache-2.0

/// Strings (Intel SDM Vol 1 §12.11).
enum ExtensionSSE42 {
    static let rows: [InstructionRow] = [
        .vector("pcmpgtq", .map38(0x37, .p66), .init(.Vx, .Wx), .lanes, .pcmpgtq, .sse42),
        .vector("pcmpestrm", .map3A(0x60, .p66), .init(.Vdq, .Wdq, .Ib), .string, .pcmpestrm, .sse42),
        .vector("pcmpestri", .map3A(0x61, .p66), .init(.Vdq, .Wdq, .Ib), .string, .pcmpestri, .sse42),
        .vector("pcmpistrm", .map3A(0x62, .p66), .init(.Vdq, .Wdq, .Ib), .string, .pcmpistrm, .sse42),
        .vector("pcmpistri", .map3A(0x63, .p66), .init(.Vdq, .Wdq, .Ib), .string, .pcmpistri, .sse42),
    ]
}
