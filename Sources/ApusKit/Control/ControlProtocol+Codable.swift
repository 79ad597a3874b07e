// SPDX-License-Identifier: Apache-2.0

/// The values of a command that has any, in its object.
private struct HelloValues: Codable { var version: Int }
private struct AttachValues: Codable { var replay: Bool? }
private struct AwaitAgentValues: Codable { var seconds: Int }
private struct ResizeValues: Codable { var columns, rows: UInt16 }
private struct EndValues: Codable {
    var cause: StopCause
    var graceSeconds: Int?
}
private struct NoValues: Codable {}

extension ControlCommand: Codable {
    package init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "a command")
        switch key {
        case "hello": self = .hello(version: (try object.sole(key) as HelloValues).version)
        case "subscribe": self = .subscribe
        case "attach": self = .attach(replay: (try object.sole(key) as AttachValues).replay ?? true)
        case "exec": self = .execute(try object.sole(key))
        case "awaitAgent": self = .awaitAgent(seconds: (try object.sole(key) as AwaitAgentValues).seconds)
        case "resize":
            let size: ResizeValues = try object.sole(key)
            self = .resize(columns: size.columns, rows: size.rows)
        case "consoleTail": self = .consoleTail
        case "start": self = .start
        case "end":
            let values: EndValues = try object.sole(key)
            self = .end(values.cause, graceSeconds: values.graceSeconds)
        case "detach": self = .detach
        default: self = .machine(try Self.machineCommand(key, decoder))
        }
    }

    private static func machineCommand(_ key: String, _ decoder: any Decoder) throws -> MachineCommand {
        do {
            return try MachineCommand(from: decoder)
        } catch let error as VirtualMachineError {
            throw error
        } catch {
            throw VirtualMachineError(
                .configuration, "command '\(key.prefix(64))' is not known, or its values do not fit it")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .hello(let version): try encoder.encode(sole: "hello", HelloValues(version: version))
        case .subscribe: try encoder.encode(sole: "subscribe", NoValues())
        case .attach(let replay): try encoder.encode(sole: "attach", AttachValues(replay: replay))
        case .execute(let command): try encoder.encode(sole: "exec", command)
        case .awaitAgent(let seconds): try encoder.encode(sole: "awaitAgent", AwaitAgentValues(seconds: seconds))
        case .resize(let columns, let rows):
            try encoder.encode(sole: "resize", ResizeValues(columns: columns, rows: rows))
        case .consoleTail: try encoder.encode(sole: "consoleTail", NoValues())
        case .machine(let command): try command.encode(to: encoder)
        case .start: try encoder.encode(sole: "start", NoValues())
        case .end(let cause, let grace):
            try encoder.encode(sole: "end", EndValues(cause: cause, graceSeconds: grace))
        case .detach: try encoder.encode(sole: "detach", NoValues())
        }
    }
}

extension ControlReply: Codable {
    package init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "a reply")
        switch key {
        case "hello": self = .hello(try object.sole(key))
        case "started": self = .started(try object.sole(key))
        case "agent": self = .agent(isReady: try object.sole(key))
        case "lines": self = .lines(try object.sole(key))
        case "attached": self = .attached
        case "executing": self = .executing
        default: self = .machine(try MachineReply(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .machine(let reply): try reply.encode(to: encoder)
        case .hello(let greeting): try encoder.encode(sole: "hello", greeting)
        case .started(let report): try encoder.encode(sole: "started", report)
        case .agent(let isReady): try encoder.encode(sole: "agent", isReady)
        case .lines(let lines): try encoder.encode(sole: "lines", lines)
        case .attached: try encoder.encode(sole: "attached", true)
        case .executing: try encoder.encode(sole: "executing", true)
        }
    }
}
