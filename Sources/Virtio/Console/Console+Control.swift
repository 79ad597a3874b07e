// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The control queues (virtio 1.2 §5.3.6.2).
extension ConsoleDevice {
    private static var toDriver: Int { 2 }
    private static var toDevice: Int { 3 }

    /// Takes what the driver says.
    func readControlMessages() {
        guard isMultiport else { return }
        let queue = core.queues[Self.toDevice]
        repeat {
            while let chain = core.popAvailable(Self.toDevice) {
                core.counters.requests &+= 1
                if let bytes = core.memory.gather(chain.readable, count: ConsoleControl.size) {
                    handle(ConsoleControl(bytes))
                } else {
                    core.counters.errors &+= 1
                }
                queue.pushUsed(chain.head, length: 0)
            }
        } while core.isRunning && queue.armNotifications()
        core.publishUsed(Self.toDevice)
        sendControlMessages()
    }

    private func handle(_ message: ConsoleControl) {
        let event = ConsoleControl.Event(rawValue: message.event)
        if event == .deviceReady, message.value == 1 {
            isControlReady = true
            for case let port? in ports where !port.isAnnounced { port.owed = .add }
            return
        }
        guard let port = livePort(Int(message.port)), port.isAnnounced else { return core.counters.errors &+= 1 }
        switch event {
        case .portReady where message.value == 1:
            port.isReady = true
            if port.isConsole { port.owed.insert(.console) }
            if !port.name.isEmpty { port.owed.insert(.name) }
            if port.isConsole, terminalSize != nil { port.owed.insert(.size) }
            port.owed.insert(.open)
        case .portReady: port.isReady = false
        case .portOpen: message.value == 0 ? close(port) : open(port)
        default: core.counters.errors &+= 1
        }
    }

    /// The guest opened `port`. Opening what is open changes nothing.
    func open(_ port: ConsolePort) {
        guard !port.isGuestOpen else { return }
        port.isGuestOpen = true
        port.openings &+= 1
        noteReceiveBuffers(port)
    }

    private func close(_ port: ConsolePort) { port.isGuestOpen = false }

    /// Tells the driver what it is owed, as far as it has buffers; the rest when it adds some.
    func sendControlMessages() {
        guard isMultiport, isControlReady, core.isRunning, core.queues[Self.toDriver].isReady else { return }
        for case let port? in ports {
            while let (message, bytes) = nextMessage(for: port) {
                guard sendControl(bytes) else {
                    core.publishUsed(Self.toDriver)
                    return
                }
                port.owed.remove(message)
                if message == .add { port.isAnnounced = true }
                if message == .remove { ports[port.number] = nil }
            }
        }
        core.publishUsed(Self.toDriver)
    }

    /// The first message owed, in the order in which a driver wants to hear them.
    private func nextMessage(for port: ConsolePort) -> (ConsolePort.Messages, [UInt8])? {
        let number = port.number
        if port.owed.contains(.add) { return (.add, ConsoleControl(port: number, event: .deviceAdd).bytes) }
        if port.owed.contains(.console) {
            return (.console, ConsoleControl(port: number, event: .consolePort, value: 1).bytes)
        }
        if port.owed.contains(.name) {
            // §5.3.6.2: without a NUL.
            return (.name, ConsoleControl(port: number, event: .portName, value: 1).bytes + Array(port.name.utf8))
        }
        if port.owed.contains(.size), let size = terminalSize {
            let message = ConsoleControl(port: number, event: .resize)
            return (
                .size, message.bytes + ConsoleControl.bytes(size.columns) + ConsoleControl.bytes(size.rows)
            )
        }
        if port.owed.contains(.open) {
            let value: UInt16 = port.isHostOpen ? 1 : 0
            return (.open, ConsoleControl(port: number, event: .portOpen, value: value).bytes)
        }
        if port.owed.contains(.remove) { return (.remove, ConsoleControl(port: number, event: .deviceRemove).bytes) }
        return nil
    }

    /// Puts a message into the driver's next buffer; false where there is none.
    private func sendControl(_ bytes: [UInt8]) -> Bool {
        let queue = core.queues[Self.toDriver]
        var found = core.popAvailable(Self.toDriver)
        if found == nil, core.isRunning, queue.armNotifications() { found = core.popAvailable(Self.toDriver) }
        guard let chain = found else { return false }
        guard chain.writableCount >= UInt64(bytes.count) else {
            core.breakDown(.malformedRequest)
            return false
        }
        let written = core.memory.scatter(bytes[...], over: chain.writable)
        queue.pushUsed(chain.head, length: UInt32(written))
        return true
    }
}
