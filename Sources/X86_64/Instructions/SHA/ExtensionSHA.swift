// SPDX-License-Identifier: Apache-2.0

/// Rounds of SHA-1 and SHA-256 (Intel SDM Vol 2, "SHA1RNDS4" and its kin).
enum ExtensionSHA {
    static let rows: [InstructionRow] = [
        .vector("sha1nexte", .map38(0xc8, .np), .init(.Vx, .Wx), .lanes, .sha1nexte, .sha),
        .vector("sha1msg1", .map38(0xc9, .np), .init(.Vx, .Wx), .lanes, .sha1msg1, .sha),
        .vector("sha1msg2", .map38(0xca, .np), .init(.Vx, .Wx), .lanes, .sha1msg2, .sha),
        .vector("sha256rnds2", .map38(0xcb, .np), .init(.Vdq, .Wdq, .XMM0), .lanesXMM0, .sha256rnds2, .sha),
        .vector("sha256msg1", .map38(0xcc, .np), .init(.Vx, .Wx), .lanes, .sha256msg1, .sha),
        .vector("sha256msg2", .map38(0xcd, .np), .init(.Vx, .Wx), .lanes, .sha256msg2, .sha),
        .vector("sha1rnds4", .map3A(0xcc, .np), .init(.Vx, .Wx, .Ib), .lanes, .sha1rnds4, .sha),
    ]
}
