// SPDX-License-Identifier: Apache-2.0

/// Rounds of AES, and carry-less multiplication (Intel SDM Vol 1 §12.13).
enum ExtensionAES {
    static let rows: [InstructionRow] = [
        .vector("aesimc", .map38(0xdb, .p66), .init(.Vx, .Wx), .unary, .aesimc, .aes),
        .vector("aesenc", .map38(0xdc, .p66), .init(.Vx, .Wx), .lanes, .aesenc, .aes),
        .vector("aesenclast", .map38(0xdd, .p66), .init(.Vx, .Wx), .lanes, .aesenclast, .aes),
        .vector("aesdec", .map38(0xde, .p66), .init(.Vx, .Wx), .lanes, .aesdec, .aes),
        .vector("aesdeclast", .map38(0xdf, .p66), .init(.Vx, .Wx), .lanes, .aesdeclast, .aes),
        .vector("aeskeygenassist", .map3A(0xdf, .p66), .init(.Vx, .Wx, .Ib), .unary, .aeskeygenassist, .aes),
        .vector("pclmulqdq", .map3A(0x44, .p66), .init(.Vx, .Wx, .Ib), .lanes, .pclmulqdq, .pclmulqdq),
    ]
}
