// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The console device (virtio 1.2 §5.3): up to `maximumPorts` ports, each a stream of bytes both ways. Port 0 always
/// exists; the others need a driver that knows of them.
public final class ConsoleDevice: VirtioDevice {
    public let core: DeviceCore
    /// The ports by number; nil where there is none.
    var ports: [ConsolePort?]
    /// The terminal's size, once it is known.
    var terminalSize: (columns: UInt16, rows: UInt16)?
    /// The driver has said that it takes control messages.
    var isControlReady = false
    /// Someone carries bytes and events out now and will come back for more, so that they leave in order.
    var isCarrying = false

    /// Called for each event, without the device's lock, one at a time and in order. Set once, by the board.
    public var onEvent: (ConsoleEvent) -> Void = { _ in }

    /// The most bytes kept of what a port's backend does not take.
    static var outboundLimit: Int { 64 << 10 }
    /// The most ports, by the number of queues that a device may have here.
    public static var largestPortCount: Int { 30 }

    /// A device with `ports` (1 to `maximumPorts`), the first being port 0. `maximumPorts` is what the guest is told,
    /// for ports to be added later. A terminal's size of zero by zero says that it is not known. The board passes on what comes from a port's backend to `deliver` and its room for
    /// more to `resume`.
    public init(
        memory: GuestMemory, ports: [ConsolePortDescription], maximumPorts: Int? = nil,
        terminalSize: (columns: UInt16, rows: UInt16)? = nil
    ) {
        let count = maximumPorts ?? ports.count
        precondition(
            !ports.isEmpty && ports.count <= count && count <= Self.largestPortCount,
            "a console device has 1 to 30 ports, none of them above its maximum")
        self.ports = (0..<count).map { $0 < ports.count ? ConsolePort(ports[$0], number: $0) : nil }
        self.terminalSize = terminalSize
        var queueSizes: [UInt16] = [128, 128, 64, 64]
        for _ in 1..<max(count, 1) { queueSizes += [128, 128] }
        core = DeviceCore(
            memory: memory, deviceID: 3, features: [.consoleSize, .consoleMultiport, .consoleEmergencyWrite],
            queueSizes: queueSizes, configSize: ConsoleConfig.size)
        core.config.set(UInt32(count), at: ConsoleConfig.portCount)
        core.config.set(terminalSize?.columns ?? 0, at: ConsoleConfig.columns)
        core.config.set(terminalSize?.rows ?? 0, at: ConsoleConfig.rows)
    }

    var isMultiport: Bool { core.hasFeature(.consoleMultiport) }

    public func activate() {
        if !isMultiport, let port = ports[0] { open(port) }
        for queue in core.queues.indices where core.queues[queue].isReady { notify(queue: queue) }
    }

    public func notify(queue: Int) {
        switch queue {
        case 2: sendControlMessages()
        case 3: readControlMessages()
        default:
            guard let port = port(ofQueue: queue) else { return }
            if queue == port.transmitQueue { collect(port) } else { noteReceiveBuffers(port) }
        }
    }

    public func reset() {
        isControlReady = false
        for case let port? in ports {
            if port.isRemoved { ports[port.number] = nil } else { port.forgetDriver() }
        }
    }

    public func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        guard offset == UInt64(ConsoleConfig.emergencyWrite), let port = ports[0] else { return }
        // §5.3.5.1: the lower byte, at any time, even with no driver.
        append([UInt8(truncatingIfNeeded: value)], to: port)
    }

    /// The port that queue `queue` belongs to, if both exist for the driver.
    private func port(ofQueue queue: Int) -> ConsolePort? {
        let number = queue < 2 ? 0 : queue / 2 - 1
        guard number == 0 || isMultiport, number < ports.count else { return nil }
        return livePort(number)
    }

    /// Port `number`, unless it is gone.
    func livePort(_ number: Int) -> ConsolePort? {
        guard ports.indices.contains(number), let port = ports[number], !port.isRemoved else { return nil }
        return port
    }
}

// MARK: For the board, under the device's lock

extension ConsoleDevice {
    /// The terminal has a new size: the guest is told.
    public func resize(columns: UInt16, rows: UInt16) {
        guard terminalSize?.columns != columns || terminalSize?.rows != rows else { return }
        terminalSize = (columns, rows)
        core.changeConfig {
            $0.set(columns, at: ConsoleConfig.columns)
            $0.set(rows, at: ConsoleConfig.rows)
        }
        for case let port? in ports where port.isConsole && port.isReady { port.owed.insert(.size) }
        sendControlMessages()
    }

    /// The host side of port `port` comes or goes; guests refuse to write to a port without one. Open from the start.
    public func setHostOpen(port number: Int, _ isOpen: Bool) {
        guard let port = livePort(number), port.isHostOpen != isOpen else { return }
        port.isHostOpen = isOpen
        if port.isReady { port.owed.insert(.open) }
        sendControlMessages()
    }

    /// Adds a port while the guest runs; its number, or nil where all that the guest was told of are there.
    public func addPort(_ description: ConsolePortDescription) -> Int? {
        guard let number = ports.firstIndex(where: { $0 == nil }) else { return nil }
        let port = ConsolePort(description, number: number)
        ports[number] = port
        if isControlReady { port.owed = .add }
        sendControlMessages()
        return number
    }

    /// Takes port `port` away; port 0 stays. What its backend has not taken is dropped.
    public func removePort(_ number: Int) {
        guard number > 0, let port = livePort(number) else { return }
        port.isGuestOpen = false
        port.outbound = []
        port.partial = nil
        port.isRemoved = true
        if port.isAnnounced { port.owed = .remove } else { ports[number] = nil }
        sendControlMessages()
    }
}
