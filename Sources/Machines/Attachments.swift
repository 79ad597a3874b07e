// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The host side of a serial port or console port, and how the machine hears what it has for the guest.
public struct StreamAttachment: Sendable {
    /// Takes bytes for the guest and answers how many fit; the backend keeps the rest until `resume()`.
    public typealias Delivery = @Sendable ([UInt8]) -> Int

    /// Tells the machine that the backend takes bytes again, after it took fewer than it was sent.
    public typealias Room = @Sendable () -> Void

    let backend: any StreamBackend
    let connect: @Sendable (@escaping Delivery, @escaping Room) -> Void

    /// `backend`, whose delivery and room `connect` sets; called once, when the machine is made.
    public init(
        _ backend: any StreamBackend,
        connect: @escaping @Sendable (_ delivery: @escaping Delivery, _ room: @escaping Room) -> Void
    ) {
        self.backend = backend
        self.connect = connect
    }
}

/// A disk: how it is opened once the machine's memory exists.
public struct DiskAttachment: Sendable {
    /// Told how each request ended, by its token, from any thread.
    public typealias Completion = @Sendable (_ token: UInt64, BlockResult) -> Void

    /// A name for errors and statistics: the file's.
    public let name: String
    let open: @Sendable (GuestMemory, @escaping Completion) throws(MachineError) -> OpenDisk

    /// A disk called `name` that `open` connects to guest memory and to the device's completion.
    public init(
        name: String,
        open: @escaping @Sendable (GuestMemory, @escaping Completion) throws(MachineError) -> OpenDisk
    ) {
        self.name = name
        self.open = open
    }
}

/// What a machine does with a backend that may keep requests waiting, as limits do.
public struct DeviceFlow: Sendable {
    let suspend: @Sendable () -> Void
    let proceed: @Sendable () -> Void
    let counters: @Sendable () -> [(name: String, count: UInt64)]

    /// `suspend` lets nothing begin until `proceed`: the machine is paused. `counters` joins the device's statistics.
    public init(
        suspend: @escaping @Sendable () -> Void = {}, proceed: @escaping @Sendable () -> Void = {},
        counters: @escaping @Sendable () -> [(name: String, count: UInt64)] = { [] }
    ) {
        self.suspend = suspend
        self.proceed = proceed
        self.counters = counters
    }
}

/// An open disk: its backend, and how the machine waits for it.
public struct OpenDisk: Sendable {
    let backend: any BlockBackend
    let flow: DeviceFlow
    let drain: @Sendable () -> Void
    let close: @Sendable () -> Void

    /// `drain` returns once every request that has begun has been answered; `close` gives back the file and its lock.
    public init(
        _ backend: any BlockBackend, flow: DeviceFlow = DeviceFlow(), drain: @escaping @Sendable () -> Void = {},
        close: @escaping @Sendable () -> Void = {}
    ) {
        self.backend = backend
        self.flow = flow
        self.drain = drain
        self.close = close
    }
}

/// A network card's other end.
public struct NetworkAttachment: Sendable {
    /// Takes a frame for the guest; false where the card has no room now, and `resume()` follows.
    public typealias Delivery = @Sendable ([UInt8]) -> Bool

    let backend: any NetworkBackend
    /// The card's address: six bytes.
    public let address: [UInt8]
    let flow: DeviceFlow
    let connect: @Sendable (@escaping Delivery) -> Void
    let connectRoom: @Sendable (@escaping @Sendable () -> Void) -> Void
    let close: @Sendable () -> Void

    /// `backend`, whose delivery `connect` sets once, for a card of this MAC `address`. A backend that holds frames
    /// (`isHolding`) tells of room by what `connectRoom` sets.
    public init(
        _ backend: any NetworkBackend, address: [UInt8], flow: DeviceFlow = DeviceFlow(),
        connect: @escaping @Sendable (@escaping Delivery) -> Void,
        connectRoom: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { _ in },
        close: @escaping @Sendable () -> Void = {}
    ) {
        precondition(address.count == 6, "a MAC address has six bytes")
        self.backend = backend
        self.address = address
        self.flow = flow
        self.connectRoom = connectRoom
        self.connect = connect
        self.close = close
    }
}

/// A port of the virtio console.
public struct ConsoleAttachment: Sendable {
    /// The name the guest finds it by (`/dev/virtio-ports/NAME`).
    public let name: String
    /// A terminal of the guest's (`hvc0`) rather than a plain stream of bytes.
    public let isTerminal: Bool
    let stream: StreamAttachment
    let guestOpened: @Sendable (Bool) -> Void

    /// A port. `guestOpened` hears when a program in the guest has opened it, and when it has closed it and all that it
    /// wrote is with the backend; it must not block.
    public init(
        name: String, isTerminal: Bool = false, stream: StreamAttachment,
        guestOpened: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        self.name = name
        self.isTerminal = isTerminal
        self.stream = stream
        self.guestOpened = guestOpened
    }
}
