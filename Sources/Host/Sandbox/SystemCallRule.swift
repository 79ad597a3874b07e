// SPDX-License-Identifier: Apache-2.0

import CSeccomp
import SystemPackage

/// What becomes of a system call, by name, and where it matters by its arguments. A row of a table.
struct SystemCallRule: Equatable, Sendable {
    /// What the kernel does.
    enum Action: Equatable, Sendable {
        case allow
        /// Fails with this error: libraries try it in innocence and go on without.
        case refuse(Errno)
        /// Ends the process: nobody tries it in innocence.
        case kill
    }

    /// A condition on one argument, by number. All of a rule's conditions have to hold.
    struct Condition: Equatable, Sendable {
        let argument: UInt32
        let comparison: scmp_compare
        let first: UInt64
        let second: UInt64

        static func == (one: Condition, other: Condition) -> Bool {
            one.argument == other.argument && one.comparison.rawValue == other.comparison.rawValue
                && one.first == other.first && one.second == other.second
        }

        /// All 64 bits are `value`.
        static func argument(_ number: UInt32, is value: UInt64) -> Condition {
            Condition(argument: number, comparison: SCMP_CMP_EQ, first: value, second: 0)
        }

        static func argument(_ number: UInt32, isNot value: UInt64) -> Condition {
            Condition(argument: number, comparison: SCMP_CMP_NE, first: value, second: 0)
        }

        /// The bits of `mask` are `value`.
        static func argument(_ number: UInt32, masked mask: UInt64, is value: UInt64) -> Condition {
            Condition(argument: number, comparison: SCMP_CMP_MASKED_EQ, first: mask, second: value)
        }

        /// The low 32 bits are `value`: the kernel looks at no others where an argument is an `int`, and C leaves
        /// them undefined.
        static func argument(_ number: UInt32, isInt value: UInt64) -> Condition {
            argument(number, masked: 0xFFFF_FFFF, is: value)
        }
    }

    let name: String
    let action: Action
    var conditions: [Condition] = []

    static func allow(_ name: String, _ conditions: Condition...) -> SystemCallRule {
        SystemCallRule(name: name, action: .allow, conditions: conditions)
    }

    static func kill(_ name: String, _ conditions: Condition...) -> SystemCallRule {
        SystemCallRule(name: name, action: .kill, conditions: conditions)
    }

    static func allow(_ names: [String]) -> [SystemCallRule] { names.map { SystemCallRule(name: $0, action: .allow) } }

    static func kill(_ names: [String]) -> [SystemCallRule] { names.map { SystemCallRule(name: $0, action: .kill) } }

    static func refuse(_ error: Errno, _ names: [String]) -> [SystemCallRule] {
        names.map { SystemCallRule(name: $0, action: .refuse(error)) }
    }
}
