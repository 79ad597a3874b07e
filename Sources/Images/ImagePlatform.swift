// SPDX-License-Identifier: Apache-2.0

/// The guest hardware that an image is made for.
public enum ImagePlatform: String, CaseIterable, Codable, Sendable {
    /// RISC-V, 64 bits.
    case riscv64
    /// A PC, 64 bits.
    case x86_64

    /// What Debian calls it.
    var debianArchitecture: String {
        switch self {
        case .riscv64: "riscv64"
        case .x86_64: "amd64"
        }
    }

    /// The package that depends on the current kernel, for PCs the one for machines without hardware of their own.
    var debianKernelPackage: String {
        switch self {
        case .riscv64: "linux-image-riscv64"
        case .x86_64: "linux-image-cloud-amd64"
        }
    }

    /// What the kernel is told of its console, where it has no device tree that says it.
    var consoleArguments: String {
        switch self {
        case .riscv64: ""
        case .x86_64: "console=ttyS0 "
        }
    }

    /// What the kernel's file in `/boot` begins with.
    var debianKernelFile: String {
        switch self {
        case .riscv64: "vmlinux"
        case .x86_64: "vmlinuz"
        }
    }
}
