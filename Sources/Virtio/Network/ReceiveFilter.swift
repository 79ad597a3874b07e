// SPDX-License-Identifier: Apache-2.0

/// An Ethernet address.
struct MACAddress: Hashable, Sendable {
    /// The six bytes, the first on the wire in the highest.
    let value: UInt64

    /// The first six of `bytes`, of which there are that many.
    init(_ bytes: ArraySlice<UInt8>) { value = bytes.prefix(6).reduce(0) { $0 << 8 | UInt64($1) } }

    static var broadcast: MACAddress { MACAddress([255, 255, 255, 255, 255, 255]) }
    /// Broadcast included.
    var isGroup: Bool { value >> 40 & 1 != 0 }
    var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))) } }
}

/// Which frames reach the guest (virtio 1.2 §5.1.6.5.1, §5.1.6.5.2). Everything, until a driver says otherwise.
struct ReceiveFilter: Equatable, Sendable {
    var isPromiscuous = true
    var allMulticast = false
    var allUnicast = false
    var noMulticast = false
    var noUnicast = false
    var noBroadcast = false
    var unicast: [MACAddress] = []
    var multicast: [MACAddress] = []

    /// The most addresses kept in a list; with more, all are let through.
    static var longestList: Int { 64 }

    /// Whether `frame`, of at least six bytes, is for a guest of address `own`.
    func accepts(_ frame: [UInt8], for own: MACAddress) -> Bool {
        if isPromiscuous { return true }
        let destination = MACAddress(frame.prefix(6))
        if destination == .broadcast { return !noBroadcast }
        if destination.isGroup {
            return !noMulticast && (allMulticast || multicast.contains(destination))
        }
        return !noUnicast && (allUnicast || destination == own || unicast.contains(destination))
    }
}
