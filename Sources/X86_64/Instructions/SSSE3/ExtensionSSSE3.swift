// SPDX-License-Identifier: Apache-2.0

/// Integers within a vector (Intel SDM Vol 1 §12.5).
enum ExtensionSSSE3 {
    static let rows: [InstructionRow] = [
        .vector("pshufb", .map38(0x00, .np), .init(.Pq, .Qq), .mmx, .pshufb, .ssse3),
        .vector("pshufb", .map38(0x00, .p66), .init(.Vx, .Wx), .lanes, .pshufb, .ssse3),
        .vector("phaddw", .map38(0x01, .np), .init(.Pq, .Qq), .mmx, .phaddw, .ssse3),
        .vector("phaddw", .map38(0x01, .p66), .init(.Vx, .Wx), .lanes, .phaddw, .ssse3),
        .vector("phaddd", .map38(0x02, .np), .init(.Pq, .Qq), .mmx, .phaddd, .ssse3),
        .vector("phaddd", .map38(0x02, .p66), .init(.Vx, .Wx), .lanes, .phaddd, .ssse3),
        .vector("phaddsw", .map38(0x03, .np), .init(.Pq, .Qq), .mmx, .phaddsw, .ssse3),
        .vector("phaddsw", .map38(0x03, .p66), .init(.Vx, .Wx), .lanes, .phaddsw, .ssse3),
        .vector("pmaddubsw", .map38(0x04, .np), .init(.Pq, .Qq), .mmx, .pmaddubsw, .ssse3),
        .vector("pmaddubsw", .map38(0x04, .p66), .init(.Vx, .Wx), .lanes, .pmaddubsw, .ssse3),
        .vector("phsubw", .map38(0x05, .np), .init(.Pq, .Qq), .mmx, .phsubw, .ssse3),
        .vector("phsubw", .map38(0x05, .p66), .init(.Vx, .Wx), .lanes, .phsubw, .ssse3),
        .vector("phsubd", .map38(0x06, .np), .init(.Pq, .Qq), .mmx, .phsubd, .ssse3),
        .vector("phsubd", .map38(0x06, .p66), .init(.Vx, .Wx), .lanes, .phsubd, .ssse3),
        .vector("phsubsw", .map38(0x07, .np), .init(.Pq, .Qq), .mmx, .phsubsw, .ssse3),
        .vector("phsubsw", .map38(0x07, .p66), .init(.Vx, .Wx), .lanes, .phsubsw, .ssse3),
        .vector("psignb", .map38(0x08, .np), .init(.Pq, .Qq), .mmx, .psignb, .ssse3),
        .vector("psignb", .map38(0x08, .p66), .init(.Vx, .Wx), .lanes, .psignb, .ssse3),
        .vector("psignw", .map38(0x09, .np), .init(.Pq, .Qq), .mmx, .psignw, .ssse3),
        .vector("psignw", .map38(0x09, .p66), .init(.Vx, .Wx), .lanes, .psignw, .ssse3),
        .vector("psignd", .map38(0x0a, .np), .init(.Pq, .Qq), .mmx, .psignd, .ssse3),
        .vector("psignd", .map38(0x0a, .p66), .init(.Vx, .Wx), .lanes, .psignd, .ssse3),
        .vector("pmulhrsw", .map38(0x0b, .np), .init(.Pq, .Qq), .mmx, .pmulhrsw, .ssse3),
        .vector("pmulhrsw", .map38(0x0b, .p66), .init(.Vx, .Wx), .lanes, .pmulhrsw, .ssse3),
        .vector("pabsb", .map38(0x1c, .np), .init(.Pq, .Qq), .mmx, .pabsb, .ssse3),
        .vector("pabsb", .map38(0x1c, .p66), .init(.Vx, .Wx), .unary, .pabsb, .ssse3),
        .vector("pabsw", .map38(0x1d, .np), .init(.Pq, .Qq), .mmx, .pabsw, .ssse3),
        .vector("pabsw", .map38(0x1d, .p66), .init(.Vx, .Wx), .unary, .pabsw, .ssse3),
        .vector("pabsd", .map38(0x1e, .np), .init(.Pq, .Qq), .mmx, .pabsd, .ssse3),
        .vector("pabsd", .map38(0x1e, .p66), .init(.Vx, .Wx), .unary, .pabsd, .ssse3),
        .vector("palignr", .map3A(0x0f, .np), .init(.Pq, .Qq, .Ib), .mmx, .palignr, .ssse3),
        .vector("palignr", .map3A(0x0f, .p66), .init(.Vx, .Wx, .Ib), .lanes, .palignr, .ssse3),
    ]
}
