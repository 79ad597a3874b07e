// SPDX-License-Identifier: Apache-2.0

extension VirtualMachineConfiguration {
    /// The engine that will run: the one asked for, or the first that the platform has here.
    func chosenEngine() throws(VirtualMachineError) -> Engine {
        if engine != .automatic {
            guard platform.engines.contains(engine) else {
                throw .unknown(
                    "engine for \(platform.rawValue)", engine.rawValue, valid: platform.engines.map(\.rawValue))
            }
            return engine
        }
        guard let first = platform.engines.first else {
            throw VirtualMachineError(.configuration, "no engine here runs \(platform.rawValue)")
        }
        return first
    }
}

extension VirtualMachineConfiguration {
    /// Why this engine runs, for people.
    public var engineReason: String {
        engine == .automatic ? "the fastest here for \(platform.rawValue)" : "asked for"
    }
}
