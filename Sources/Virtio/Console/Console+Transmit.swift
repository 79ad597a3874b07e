// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// From the guest to the host.
extension ConsoleDevice {
    /// What is carried out of the device without its lock.
    private struct Load {
        struct Offer {
            let port: ConsolePort
            let bytes: [UInt8]
            let resumes: UInt64
            var taken = 0
        }

        var offers: [Offer] = []
        var resumes: [any StreamBackend] = []
        var events: [ConsoleEvent] = []
        var isEmpty: Bool { offers.isEmpty && resumes.isEmpty && events.isEmpty }
    }

    public func takeWork() -> DeviceWork? {
        guard !isCarrying else { return nil }
        var load = nextLoad()
        guard !load.isEmpty else { return nil }
        isCarrying = true
        return { [self] in
            while !load.isEmpty {
                // Bytes first: an event that says "closed" comes after what was written before.
                for index in load.offers.indices {
                    load.offers[index].taken = load.offers[index].port.backend.send(load.offers[index].bytes)
                }
                for backend in load.resumes { backend.resume() }
                for event in load.events { onEvent(event) }
                core.reenter { load = continueCarrying(load) }
            }
        }
    }

    private func continueCarrying(_ load: Load) -> Load {
        for offer in load.offers { settle(offer) }
        for case let port? in ports { collect(port) }
        let next = nextLoad()
        isCarrying = !next.isEmpty
        return next
    }

    private func settle(_ offer: Load.Offer) {
        let port = offer.port
        let taken = min(max(offer.taken, 0), offer.bytes.count, port.outbound.count)
        port.outbound.removeFirst(taken)
        // A backend that made room while the offer was on its way has said so already.
        if taken < offer.bytes.count, offer.resumes == port.resumes { port.isBlocked = true }
    }

    private func nextLoad() -> Load {
        var load = Load()
        for case let port? in ports where !port.isRemoved {
            if !port.isBlocked, !port.outbound.isEmpty {
                load.offers.append(Load.Offer(port: port, bytes: port.outbound, resumes: port.resumes))
            }
            if port.owesResume {
                port.owesResume = false
                load.resumes.append(port.backend)
            }
            appendEvents(of: port, to: &load)
        }
        return load
    }

    /// The guest's openings and closings since the host was last told, each closing once all bytes before it are out.
    private func appendEvents(of port: ConsolePort, to load: inout Load) {
        let reopened = port.openings != port.toldOpenings
        if port.toldOpen, reopened || !port.isGuestOpen {
            guard port.outbound.isEmpty, port.partial == nil else { return }
            port.toldOpen = false
            load.events.append(.closed(port: port.number))
        }
        if port.isGuestOpen, !port.toldOpen {
            port.toldOpen = true
            port.toldOpenings = port.openings
            load.events.append(.opened(port: port.number))
        }
    }

    /// The backend of port `port` takes bytes again. Called under the device's lock.
    public func resume(port number: Int) {
        guard let port = livePort(number) else { return }
        port.resumes &+= 1
        port.isBlocked = false
        collect(port)
    }

    /// Copies from the port's transmit queue what there is room for. The buffers behind stay with the driver.
    func collect(_ port: ConsolePort) {
        guard core.isRunning, !port.isRemoved, core.queues[port.transmitQueue].isReady else { return }
        let queue = core.queues[port.transmitQueue]
        repeat {
            while hasRoom(port), let buffer = port.partial ?? nextBuffer(port, queue) {
                port.partial = buffer
                copyPart(port)
                guard let left = port.partial, left.offset == left.chain.readableCount else { continue }
                port.partial = nil
                core.counters.requests &+= 1
                if left.epoch == queue.epoch { queue.pushUsed(left.chain.head, length: 0) }
            }
        } while hasRoom(port) && core.isRunning && queue.armNotifications()
        core.publishUsed(port.transmitQueue)
    }

    private func hasRoom(_ port: ConsolePort) -> Bool {
        port.drops || port.outbound.count < Self.outboundLimit
    }

    private func nextBuffer(_ port: ConsolePort, _ queue: VirtQueue) -> ConsolePort.PartialBuffer? {
        guard let chain = core.popAvailable(port.transmitQueue) else { return nil }
        return ConsolePort.PartialBuffer(chain: chain, epoch: queue.epoch)
    }

    private func copyPart(_ port: ConsolePort) {
        guard var part = port.partial else { return }
        let left = part.chain.readableCount - part.offset
        let room = UInt64(Self.outboundLimit - min(port.outbound.count, Self.outboundLimit))
        let count = core.memory.gather(
            part.chain.readable, from: part.offset, count: Int(min(left, room)), into: &port.outbound)
        core.counters.bytesFromGuest &+= UInt64(count)
        part.offset += UInt64(count)
        if port.drops, part.offset < part.chain.readableCount {
            core.counters.errors &+= 1
            part.offset = part.chain.readableCount
        }
        port.partial = part
    }

    /// Bytes that come by another way than the queue.
    func append(_ bytes: [UInt8], to port: ConsolePort) {
        guard port.outbound.count + bytes.count <= Self.outboundLimit else { return core.counters.errors &+= 1 }
        port.outbound += bytes
    }
}
