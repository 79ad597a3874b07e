// SPDX-License-Identifier: Apache-2.0

import Host

/// A network card's address: six bytes, written `52:54:00:1a:2b:3c`.
public struct MACAddress: Hashable, TextCoded {
    /// The six bytes, in the order of the wire.
    public let bytes: [UInt8]

    /// An address of one station: six bytes, not all zero, the group bit of the first clear (IEEE 802-2014 §8.2.2).
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
    }

    /// An address as text: six pairs of hexadecimal digits between colons.
    public init(parsing text: String) throws(VirtualMachineError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, let address = MACAddress(bytes) else {
            throw VirtualMachineError(
                .configuration,
                "MAC address '\(text)' cannot be used; write six pairs of digits for one card, such as "
                    + "52:54:00:1a:2b:3c")
        }
        self = address
    }

    private init(random: [UInt8]) { bytes = [0x52, 0x54, 0x00] + random }

    /// A random address, locally administered (IEEE 802-2014 §8.4), of the range 52:54:00 that rules of guests know
    /// for virtual machines. Two of a thousand cards on one wire are the same in one of 33 such networks.
    public static func random() -> MACAddress { MACAddress(random: Randomness.bytes(3)) }

    public var description: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: ":")
    }
}

extension VirtualMachineConfiguration {
    /// Gives every network card without an address one of its own, so that it keeps it in whatever is made of this
    /// configuration from now on.
    public mutating func assignAddresses() {
        for index in networkDevices.indices where networkDevices[index].address == nil {
            networkDevices[index].address = .random()
        }
    }

    /// Takes away the addresses that are in `taken`.
    mutating func dropAddresses(in taken: Set<MACAddress>) {
        for index in networkDevices.indices {
            guard let address = networkDevices[index].address, taken.contains(address) else { continue }
            networkDevices[index].address = nil
        }
    }
}
