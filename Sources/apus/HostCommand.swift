// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser

/// `apus host`.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Says what this host is and what it offers to guests.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = try HostReport.measure()
        Message.print(json ? JSONText.encode(report) : report.text)
    }
}
