// SPDX-License-Identifier: Apache-2.0

import ApusKit
import FuzzSupport

extension ControlCommand {
    /// Any command with any values: what a client gets wrong in their order and number rather than in their spelling.
    init(_ input: inout FuzzInput) {
        switch input.byte() % 12 {
        case 0: self = .hello(version: Int(input.byte() & 3))
        case 1: self = .subscribe
        case 2: self = .attach(replay: input.byte() & 1 != 0)
        case 3, 4: self = .execute(GuestCommand(&input))
        case 5: self = .awaitAgent(seconds: Int(input.integer(Int32.self)))
        case 6: self = .resize(columns: input.integer(UInt16.self), rows: input.integer(UInt16.self))
        case 7: self = .consoleTail
        case 8: self = .machine(.registers(vcpu: Int(input.integer(Int8.self))))
        case 9: self = .machine(.stop(graceSeconds: Int(input.integer(Int32.self))))
        case 10: self = .start
        default: self = .detach
        }
    }
}

extension GuestCommand {
    /// Up to seven arguments and three variables of any text.
    fileprivate init(_ input: inout FuzzInput) {
        let shape = input.byte()
        let arguments = (0..<shape & 7).map { _ in String(decoding: input.bytes(upTo: 0), as: UTF8.self) }
        let environment = (0..<shape >> 3 & 3).map { _ in String(decoding: input.bytes(upTo: 0), as: UTF8.self) }
        self.init(arguments, environment: environment, waitsForNetwork: shape & 0x80 != 0)
    }
}
