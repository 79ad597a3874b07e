// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// What a console port is made of.
public struct ConsolePortDescription {
    /// The name that the guest sees (`/sys/class/virtio-ports/*/name`), or empty.
    public let name: String
    /// A terminal of the guest (`hvc0`) rather than a plain stream of bytes.
    public let isConsole: Bool
    /// The host side.
    public let backend: any StreamBackend

    /// A port on `backend`.
    public init(name: String = "", isConsole: Bool = false, backend: any StreamBackend) {
        self.name = name
        self.isConsole = isConsole
        self.backend = backend
    }
}

/// What the guest does with a port, for the host side to know.
public enum ConsoleEvent: Equatable, Sendable {
    /// A program in the guest has opened port `port`.
    case opened(port: Int)
    /// It has closed it, and all that it wrote before is with the backend.
    case closed(port: Int)
}

/// One port of a console device, and both directions' state.
final class ConsolePort {
    /// A buffer of the transmit queue that is copied in parts.
    struct PartialBuffer {
        let chain: DescriptorChain
        let epoch: UInt32
        var offset: UInt64 = 0
    }

    /// Messages on the control queue that the driver has still to get. A set, so that no driver makes it grow.
    struct Messages: OptionSet {
        let rawValue: UInt8
        static var add: Messages { Messages(rawValue: 1) }
        static var console: Messages { Messages(rawValue: 2) }
        static var name: Messages { Messages(rawValue: 4) }
        static var size: Messages { Messages(rawValue: 8) }
        static var open: Messages { Messages(rawValue: 16) }
        static var remove: Messages { Messages(rawValue: 32) }
    }

    let number: Int
    let name: String
    let isConsole: Bool
    let backend: any StreamBackend
    /// The host side is there. Guests refuse to write where it is not.
    var isHostOpen = true
    /// The port is gone but for the message that says so.
    var isRemoved = false

    // Control.
    var owed: Messages = []
    /// The driver has been told of the port.
    var isAnnounced = false
    /// The driver has made the port.
    var isReady = false
    /// A program in the guest has it open.
    var isGuestOpen = false
    /// Counts the guest's openings; the host is told of each.
    var openings: UInt64 = 0
    var toldOpen = false
    var toldOpenings: UInt64 = 0

    // To the host.
    /// Copied from the guest and not yet taken by the backend; at most `ConsoleDevice.outboundLimit` bytes.
    var outbound: [UInt8] = []
    var partial: PartialBuffer?
    /// The backend took less than it was offered.
    var isBlocked = false
    /// Counts the backend's calls of `resume`, to tell one that came while an offer was on its way.
    var resumes: UInt64 = 0

    // To the guest.
    /// Bytes were refused for want of buffers, or of a program that reads: the backend is told when that changes.
    var isStarved = false
    var owesResume = false

    init(_ description: ConsolePortDescription, number: Int) {
        self.number = number
        name = description.name
        isConsole = description.isConsole
        backend = description.backend
    }

    /// The queues of port `number` (virtio 1.2 §5.3.2): those of port 0 come before the two for control.
    var receiveQueue: Int { number == 0 ? 0 : 2 * number + 2 }
    var transmitQueue: Int { receiveQueue + 1 }

    /// Whether bytes are dropped now rather than the guest made to wait for a slow host side. A program that writes to a plain port can be made to wait. A
    /// terminal cannot: Linux writes to it with interrupts off and spins until the buffer comes back, so that a host
    /// that does not read would stop the guest. Like a UART the port then drops, and counts.
    var drops: Bool { isConsole && isBlocked }

    /// The driver is gone: nothing of it is left but what it wrote.
    func forgetDriver() {
        owed = []
        isAnnounced = false
        isReady = false
        isGuestOpen = false
        partial = nil
        if isStarved {
            isStarved = false
            owesResume = true
        }
    }
}
