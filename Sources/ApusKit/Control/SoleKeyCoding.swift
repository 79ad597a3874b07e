// SPDX-License-Identifier: Apache-2.0

// An enumeration on the control socket is an object of one key: the case, with its value. What Swift makes by itself has
// `_0` for values without a label, which no other program should have to write.

extension Decoder {
    /// The one key of the object here, and the object.
    func soleKey(of what: String) throws -> (key: String, object: KeyedDecodingContainer<AnyKey>) {
        let object = try container(keyedBy: AnyKey.self)
        guard let key = object.allKeys.first, object.allKeys.count == 1 else {
            throw VirtualMachineError(.configuration, "\(what) is an object of one key, not of \(object.allKeys.count)")
        }
        return (key.stringValue, object)
    }
}

extension KeyedDecodingContainer<AnyKey> {
    /// The value of `key`.
    func sole<T: Decodable>(_ key: String) throws -> T { try decode(T.self, forKey: AnyKey(stringValue: key)) }
}

extension Encoder {
    /// An object of one key.
    func encode(sole key: String, _ value: some Encodable) throws {
        var object = container(keyedBy: AnyKey.self)
        try object.encode(value, forKey: AnyKey(stringValue: key))
    }
}

extension StopCause: Codable {
    public init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "a cause")
        switch key {
        case "caller": self = .caller
        case "signal": self = .signal(try object.sole(key))
        case "timeout": self = .timeout
        case "debugger": self = .debugger
        case "command": self = .command(status: try object.sole(key))
        default:
            throw VirtualMachineError.unknown(
                "cause", key, valid: ["caller", "signal", "timeout", "debugger", "command"])
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .caller: try encoder.encode(sole: "caller", true)
        case .signal(let number): try encoder.encode(sole: "signal", number)
        case .timeout: try encoder.encode(sole: "timeout", true)
        case .debugger: try encoder.encode(sole: "debugger", true)
        case .command(let status): try encoder.encode(sole: "command", status)
        }
    }
}

extension VirtualMachineEnd.Reason: Codable {
    public init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "a reason")
        switch key {
        case "poweredOff": self = .poweredOff(code: try object.sole(key))
        case "panicked": self = .panicked(try object.sole(key))
        case "reset": self = .reset
        case "stopped": self = .stopped(try object.sole(key))
        case "failed": self = .failed(try object.sole(key))
        default:
            throw VirtualMachineError.unknown(
                "reason", key, valid: ["poweredOff", "panicked", "reset", "stopped", "failed"])
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .poweredOff(let code): try encoder.encode(sole: "poweredOff", code)
        case .panicked(let text): try encoder.encode(sole: "panicked", text)
        case .reset: try encoder.encode(sole: "reset", true)
        case .stopped(let cause): try encoder.encode(sole: "stopped", cause)
        case .failed(let text): try encoder.encode(sole: "failed", text)
        }
    }
}

extension VirtualMachine.Event: Codable {
    public init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "an event")
        switch key {
        case "state": self = .state(try object.sole(key))
        case "restarted": self = .restarted
        case "panicked": self = .panicked(try object.sole(key))
        case "console": self = .console(try object.sole(key))
        case "ended": self = .ended(try object.sole(key))
        default:
            throw VirtualMachineError.unknown(
                "event", key, valid: ["state", "restarted", "panicked", "console", "ended"])
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .state(let state): try encoder.encode(sole: "state", state)
        case .restarted: try encoder.encode(sole: "restarted", true)
        case .panicked(let text): try encoder.encode(sole: "panicked", text)
        case .console(let place): try encoder.encode(sole: "console", place)
        case .ended(let end): try encoder.encode(sole: "ended", end)
        }
    }
}

extension MachineReply: Codable {
    public init(from decoder: any Decoder) throws {
        let (key, object) = try decoder.soleKey(of: "a reply")
        switch key {
        case "done": self = .done(try object.sole(key))
        case "failed": self = .failed(try object.sole(key))
        case "status": self = .status(try object.sole(key))
        case "vcpus": self = .vcpus(try object.sole(key))
        case "registers": self = .registers(try object.sole(key))
        case "statistics": self = .statistics(try object.sole(key))
        case "help": self = .help(try object.sole(key))
        default:
            throw VirtualMachineError.unknown(
                "reply", key, valid: ["done", "failed", "status", "vcpus", "registers", "statistics", "help"])
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .done(let sentence): try encoder.encode(sole: "done", sentence)
        case .failed(let sentence): try encoder.encode(sole: "failed", sentence)
        case .status(let status): try encoder.encode(sole: "status", status)
        case .vcpus(let summaries): try encoder.encode(sole: "vcpus", summaries)
        case .registers(let sets): try encoder.encode(sole: "registers", sets)
        case .statistics(let report): try encoder.encode(sole: "statistics", report)
        case .help(let lines): try encoder.encode(sole: "help", lines)
        }
    }
}
