// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
//
// The targets and who may import whom: ARCHITECTURE.md, held by `make lint`.
import PackageDescription

/// Every Swift target: Swift 6 mode, strict memory safety, warnings are errors.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Pure targets can be built for bare metal: no Foundation, no Host, no C library, nothing Embedded Swift lacks.
let pure: [SwiftSetting] = common + [.treatWarning("EmbeddedRestrictions", as: .error)]

/// Tests read raw memory freely: the strictness that guards the product would only drown them.
let tests: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

/// The commit, where the build knows one (Scripts/common.sh). Not `Context.gitInformation`: the manifest is cached without
/// regard to it, and would name an old commit.
let commit = (Context.environment["APUS_COMMIT"] ?? "").filter { $0.isLetter || $0.isNumber || $0 == "+" }

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "apus",
    products: [
        .library(name: "ApusKit", targets: ["ApusKit"]),
        .executable(name: "apus", targets: ["apus"]),
        .executable(name: "apus-net", targets: ["apus-net"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
        .package(url: "https://github.com/apple/swift-log", .upToNextMinor(from: "1.16.2")),
        .package(url: "https://github.com/apple/swift-system", .upToNextMinor(from: "1.8.1")),
        .package(url: "https://github.com/swiftlang/swift-subprocess", .upToNextMinor(from: "1.0.2")),
    ],
    targets: [
        // Pure: no host beneath them.
        .target(name: "CGuestAtomics"),
        .target(name: "VMMemory", dependencies: ["CGuestAtomics"], swiftSettings: pure),
        .target(name: "MachineCore", dependencies: ["VMMemory", "CGuestAtomics"], swiftSettings: pure),
        .target(name: "SoftFloat", swiftSettings: pure),
        .target(name: "Devices", dependencies: ["MachineCore", "VMMemory"], swiftSettings: pure),
        .target(name: "Virtio", dependencies: ["MachineCore", "VMMemory", "CGuestAtomics"], swiftSettings: pure),
        .target(
            name: "RISCV64", dependencies: ["MachineCore", "VMMemory", "CGuestAtomics", "SoftFloat"],
            swiftSettings: pure),
        .target(
            name: "X86_64", dependencies: ["MachineCore", "VMMemory", "CGuestAtomics", "SoftFloat"],
            swiftSettings: pure),

        // The Linux host.
        .target(name: "CHost"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "Host", dependencies: ["CHost", "CSeccomp", log, system], swiftSettings: common),
        .target(
            name: "Backends", dependencies: ["MachineCore", "VMMemory", "Host", log, system], swiftSettings: common),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(
            name: "Images", dependencies: ["Host", "CArchive", log, system, subprocess],
            resources: [.embedInCode("Scripts")], swiftSettings: common),

        // Assembled.
        .target(
            name: "Machines",
            dependencies: [
                "Backends", "Devices", "Host", "Images", "MachineCore", "RISCV64", "VMMemory", "Virtio", "X86_64", log,
                system,
            ], swiftSettings: common),
        .target(
            name: "ApusKit",
            dependencies: [
                "Backends", "Devices", "Host", "Images", "MachineCore", "Machines", "RISCV64", "VMMemory", "Virtio",
                "X86_64", log, system,
            ], swiftSettings: common),
        .target(name: "CVersion", cSettings: commit.isEmpty ? [] : [.define("APUS_COMMIT", to: "\"\(commit)\"")]),
        .executableTarget(name: "apus", dependencies: ["ApusKit", "CVersion", arguments, log], swiftSettings: common),

        // The network child: libslirp lives here and nowhere else.
        // No pkgConfig: Debian's slirp.pc wants glib's, which only glib's -dev package has.
        .systemLibrary(name: "CSlirp"),
        .executableTarget(
            name: "apus-net", dependencies: ["CSlirp", "Host", "MachineCore", system], swiftSettings: common),

        .testTarget(
            name: "ApusKitTests",
            dependencies: ["ApusKit", "Host", "MachineCore", "Machines", "RISCV64", "VMMemory", system],
            swiftSettings: tests),
        .testTarget(
            name: "BackendsTests", dependencies: ["Backends", "Host", "MachineCore", "VMMemory", system],
            swiftSettings: tests),
        .testTarget(
            name: "CommandLineTests", dependencies: ["apus", "ProgramSupport", "SandboxSupport"], swiftSettings: tests),
        .testTarget(name: "DevicesTests", dependencies: ["Devices", "MachineCore", "VMMemory"], swiftSettings: tests),
        .testTarget(
            name: "ImagesTests", dependencies: ["CArchive", "Images", "MachineCore", subprocess, system],
            swiftSettings: tests),
        .testTarget(name: "MachineCoreTests", dependencies: ["MachineCore", "VMMemory"], swiftSettings: tests),
        .testTarget(
            name: "MachinesTests",
            dependencies: ["Devices", "Host", "MachineCore", "Machines", "RISCV64", "VMMemory", "Virtio", "X86_64"],
            swiftSettings: tests),
        .testTarget(name: "HostTests", dependencies: ["Host", "SandboxSupport", system], swiftSettings: tests),
        .testTarget(
            name: "NetworkTests",
            dependencies: ["apus-net", "Backends", "Host", "MachineCore", "SandboxSupport", system],
            swiftSettings: tests),
        .testTarget(
            name: "RISCV64Tests", dependencies: ["MachineCore", "RISCV64", "RISCVOracle", "VMMemory"],
            swiftSettings: tests),
        .testTarget(
            name: "SoftFloatTests", dependencies: ["RISCVOracle", "SoftFloat", "X86Oracle"], swiftSettings: tests),
        .testTarget(
            name: "SystemTests", dependencies: ["apus", "apus-net", "ProgramSupport", "SandboxSupport"],
            swiftSettings: tests),
        .testTarget(
            name: "X86_64Tests", dependencies: ["MachineCore", "VMMemory", "X86Oracle", "X86_64"], swiftSettings: tests),
        .target(
            name: "RISCVOracle", path: "Tests/Support/RISCVOracle", exclude: ["Guest"], swiftSettings: tests),
        .target(name: "X86Oracle", path: "Tests/Support/X86Oracle"),
        .target(name: "ProgramSupport", path: "Tests/Support/Program", swiftSettings: tests),
        .target(name: "SandboxSupport", path: "Tests/Support/Sandbox", swiftSettings: tests),
        .target(
            name: "VirtioMock", dependencies: ["MachineCore", "VMMemory", "Virtio"],
            path: "Tests/Support/VirtioMock", swiftSettings: tests),
        .testTarget(
            name: "VirtioTests", dependencies: ["MachineCore", "VMMemory", "Virtio", "VirtioMock"],
            swiftSettings: tests),
    ]
)

// The fuzz targets have libFuzzer's main and link with nothing else, so they exist for `make fuzz` alone, which sets
// this variable (Fuzz/README.md). With PLANTED in it, each of them has a bug to find.
if let fuzzing = Context.environment["APUS_FUZZ"] {
    let planted: [SwiftSetting] = fuzzing == "PLANTED" ? [.define("APUS_PLANTED_BUG")] : []
    let harnesses: [(name: String, under: [Target.Dependency])] = [
        ("agent", ["MachineCore"]),
        ("bzimage", ["Machines"]),
        ("control", ["ApusKit"]),
        ("decoder", ["MachineCore", "RISCV64", "VMMemory"]),
        ("elf", ["Machines"]),
        ("fwcfg", ["Devices", "MachineCore", "VMMemory"]),
        ("gdb", ["ApusKit", "MachineCore"]),
        ("image", ["Machines"]),
        ("multiboot", ["Machines"]),
        ("pvh", ["Machines"]),
        ("queue", ["MachineCore", "VMMemory", "Virtio"]),
    ]
    package.targets.append(
        .target(name: "FuzzSupport", dependencies: ["VMMemory"], path: "Fuzz/Support", swiftSettings: tests + planted))
    package.targets += harnesses.map { harness in
        .executableTarget(
            name: "fuzz-\(harness.name)", dependencies: ["FuzzSupport"] + harness.under,
            path: "Fuzz/Targets/\(harness.name)", swiftSettings: tests)
    }
}
