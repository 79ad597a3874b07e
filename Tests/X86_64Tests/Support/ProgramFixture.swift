// SPDX-License-Identifier: Apache-2.0

import MachineCore

@testable import X86_64

extension ProcessorFixture {
    /// Runs `bytes`, put at `address`, until an exit; `offset` is the instruction pointer where CS has a base. Handlers are HLT: a fault ends there, `vector` says at which; so does the HLT
    /// that is put behind the code.
    @discardableResult
    func run(_ bytes: [UInt8], at address: UInt64 = code, offset: UInt64? = nil) -> VMExit {
        ram.put(bytes + [0xf4], at: address)
        for vector: UInt64 in 0..<256 { ram.put([0xf4], at: Self.handler(vector)) }
        state.pointee.rip = offset ?? address
        processor.stateChanged()
        return Interpreter().run(processor)
    }

    /// The vector of the handler whose HLT ended the run, or nil where the code's own did.
    var stopVector: UInt64? {
        let offset = state.pointee.rip &- 1 &- Self.handlers
        return offset < 256 * 16 && offset % 16 == 0 ? offset / 16 : nil
    }
}
