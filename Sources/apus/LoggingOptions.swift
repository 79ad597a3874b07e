// SPDX-License-Identifier: Apache-2.0

import ApusKit
import ArgumentParser
import Logging

/// Where Apus's own log goes, and how much of it.
struct LoggingOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Log at this level and above.", valueName: "level"))
    var logLevel = "warning"

    @Option(name: .long, help: ArgumentHelp("Append the log to a file instead of stderr.", valueName: "file"))
    var logFile: String?

    /// Sets up the log for the whole process; called once, first.
    func bootstrap() throws(VirtualMachineError) {
        try LoggingOptions.bootstrap(level: logLevel, file: logFile)
    }

    /// The same settings for a machine's own process.
    var forMachine: MachineLaunch.Log { MachineLaunch.Log(level: logLevel, file: logFile) }

    static func bootstrap(level name: String, file: String?) throws(VirtualMachineError) {
        guard let level = Logger.Level(rawValue: name) else {
            throw VirtualMachineError(
                .configuration,
                "log level '\(name)' is not known; valid are "
                    + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let sink = try LogSink(path: file)
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, level: level, sink: sink) }
    }
}

/// Writes one line a log message.
struct LineLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let sink: LogSink

    init(label: String, level: Logger.Level, sink: LogSink) {
        self.label = label
        self.logLevel = level
        self.sink = sink
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = "\(LogSink.timestamp) \(event.level.rawValue) \(label): \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        sink.write(line)
    }
}
