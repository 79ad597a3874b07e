// SPDX-License-Identifier: Apache-2.0

/// The guest hardware that an image is made for.
public enum ImagePlatform: String, CaseIterable, Codable, Sendable {
    /// RISC-V, 64 bits.
    case riscv64

    /// What Debian calls it.
    var debianArchitecture: String {
        switch self {
        case .riscv64: "riscv64"
        }
    }

    /// The package that depends on the current kernel.
    var debianKernelPackage: String {
        switch self {
        case .riscv64: "linux-image-riscv64"
        }
    }
}
