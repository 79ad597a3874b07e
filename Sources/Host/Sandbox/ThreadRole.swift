// SPDX-License-Identifier: Apache-2.0

import CHost

/// What a thread does, and so which system calls it may make once its process is confined.
public enum ThreadRole: UInt32, CaseIterable, Sendable, CustomStringConvertible {
    /// Serves descriptors, timers, clients and tasks: the event loop, the control thread, the Swift runtime's pool, and
    /// whatever says nothing else. It may start threads, which begin with what it may itself; that is why all of these
    /// are one role: any of them can be the one that makes the pool grow.
    case service = 0
    /// Executes a guest's instructions and its devices' registers. It starts no thread and wakes no task.
    case vcpu = 1
    /// Moves a disk's blocks. It starts no thread and wakes no task.
    case disk = 2

    /// The name, as probes and tests use it.
    public var description: String {
        switch self {
        case .service: "service"
        case .vcpu: "vcpu"
        case .disk: "disk"
        }
    }

    var native: chost_role { chost_role(rawValue: rawValue) }
}
