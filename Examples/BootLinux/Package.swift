// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
//
// A package of its own that depends on Apus, as any other would. It is built beside the clone that it lies in; with a
// released Apus its dependency would be a URL and a version.
import PackageDescription

let package = Package(
    name: "BootLinux",
    dependencies: [.package(name: "apus", path: "../..")],
    targets: [
        .executableTarget(
            name: "BootLinux", dependencies: [.product(name: "ApusKit", package: "apus")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
