// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A command's class and number (virtio 1.2 §5.1.6.5).
private struct NetworkCommand: Equatable {
    let kind: UInt8
    let number: UInt8

    // VIRTIO_NET_CTRL_RX: one byte, 0 or 1.
    static var promiscuous: NetworkCommand { NetworkCommand(kind: 0, number: 0) }
    static var allMulticast: NetworkCommand { NetworkCommand(kind: 0, number: 1) }
    static var allUnicast: NetworkCommand { NetworkCommand(kind: 0, number: 2) }
    static var noMulticast: NetworkCommand { NetworkCommand(kind: 0, number: 3) }
    static var noUnicast: NetworkCommand { NetworkCommand(kind: 0, number: 4) }
    static var noBroadcast: NetworkCommand { NetworkCommand(kind: 0, number: 5) }
    // VIRTIO_NET_CTRL_MAC: two tables, each le32 count and six bytes an address; or one address.
    static var setTables: NetworkCommand { NetworkCommand(kind: 1, number: 0) }
    static var setAddress: NetworkCommand { NetworkCommand(kind: 1, number: 1) }
}

extension NetworkDevice {
    /// Answers the commands in the control queue.
    func processCommands() {
        let queue = core.queues[Queue.control]
        repeat {
            while let chain = core.popAvailable(Queue.control) {
                guard chain.writableCount > 0 else { return core.breakDown(.malformedRequest) }
                let done = perform(chain)
                // VIRTIO_NET_OK and VIRTIO_NET_ERR.
                core.memory.scatter([done ? 0 : 1], over: chain.writable)
                core.counters.requests &+= 1
                if !done { core.counters.errors &+= 1 }
                queue.pushUsed(chain.head, length: 1)
            }
        } while core.isRunning && queue.armNotifications()
        core.publishUsed(Queue.control)
    }

    private func perform(_ chain: DescriptorChain) -> Bool {
        guard let head = core.memory.gather(chain.readable, count: 2) else { return false }
        let command = NetworkCommand(kind: head[0], number: head[1])
        switch command {
        case .setTables where core.hasFeature(.networkControlReceive): return setTables(chain)
        case .setAddress where core.hasFeature(.networkControlMAC): return setAddress(chain)
        case .promiscuous, .allMulticast:
            guard core.hasFeature(.networkControlReceive) else { return false }
        case .allUnicast, .noMulticast, .noUnicast, .noBroadcast:
            guard core.hasFeature(.networkControlReceiveExtra) else { return false }
        default: return false
        }
        guard let flag = core.memory.gather(chain.readable, from: 2, count: 1), flag[0] <= 1 else { return false }
        set(command, flag[0] == 1)
        return true
    }

    private func set(_ command: NetworkCommand, _ value: Bool) {
        switch command {
        case .promiscuous: filter.isPromiscuous = value
        case .allMulticast: filter.allMulticast = value
        case .allUnicast: filter.allUnicast = value
        case .noMulticast: filter.noMulticast = value
        case .noUnicast: filter.noUnicast = value
        default: filter.noBroadcast = value
        }
    }

    private func setAddress(_ chain: DescriptorChain) -> Bool {
        guard let bytes = core.memory.gather(chain.readable, from: 2, count: 6) else { return false }
        let wanted = MACAddress(bytes[...])
        guard !wanted.isGroup, wanted.value != 0 else { return false }
        address = wanted
        core.config.set(bytes, at: NetworkConfig.mac)
        return true
    }

    /// Unicast first, then multicast. A table too long to keep lets all of its kind through.
    private func setTables(_ chain: DescriptorChain) -> Bool {
        var wanted = filter
        var offset: UInt64 = 2
        guard let unicast = table(chain, at: &offset), let multicast = table(chain, at: &offset) else { return false }
        wanted.unicast = unicast.addresses
        wanted.multicast = multicast.addresses
        if unicast.isCut { wanted.allUnicast = true }
        if multicast.isCut { wanted.allMulticast = true }
        filter = wanted
        return true
    }

    private func table(_ chain: DescriptorChain, at offset: inout UInt64) -> (addresses: [MACAddress], isCut: Bool)? {
        guard let head = core.memory.gather(chain.readable, from: offset, count: 4) else { return nil }
        let count = UInt64(head.littleEndian(at: 0) as UInt32)
        let end = offset + 4 + count * 6
        guard end <= chain.readableCount else { return nil }
        let kept = min(Int(count), ReceiveFilter.longestList)
        guard let bytes = core.memory.gather(chain.readable, from: offset + 4, count: kept * 6) else { return nil }
        offset = end
        let addresses = (0..<kept).map { MACAddress(bytes[($0 * 6)...]) }
        return (addresses, Int(count) > kept)
    }
}
