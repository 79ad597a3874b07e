// SPDX-License-Identifier: Apache-2.0

extension FeatureBits {
    /// VIRTIO_CONSOLE_F_SIZE (virtio 1.2 §5.3.3).
    static var consoleSize: FeatureBits { bit(0) }
    /// VIRTIO_CONSOLE_F_MULTIPORT.
    static var consoleMultiport: FeatureBits { bit(1) }
    /// VIRTIO_CONSOLE_F_EMERG_WRITE.
    static var consoleEmergencyWrite: FeatureBits { bit(2) }
}

/// The fields of the configuration space: their offsets in struct virtio_console_config (virtio 1.2 §5.3.4).
enum ConsoleConfig {
    static var columns: Int { 0 }  //         le16
    static var rows: Int { 2 }  //            le16
    static var portCount: Int { 4 }  //       le32
    static var emergencyWrite: Int { 8 }  //  le32, written
    static var size: Int { 12 }
}

/// A message on a control queue (virtio 1.2 §5.3.6.2): le32 port, le16 event, le16 value; then a name or a size.
struct ConsoleControl {
    enum Event: UInt16 {
        case deviceReady = 0  //  driver: value 1, it takes messages
        case deviceAdd = 1  //    device: a port
        case deviceRemove = 2  // device: a port no more
        case portReady = 3  //    driver: value 1, it has made the port
        case consolePort = 4  //  device: the port is a terminal
        case resize = 5  //       device: le16 columns, le16 rows follow
        case portOpen = 6  //     both: value 1 open, 0 closed
        case portName = 7  //     device: UTF-8 follows
    }

    static var size: Int { 8 }

    var port: UInt32
    var event: UInt16
    var value: UInt16

    init(port: Int, event: Event, value: UInt16 = 0) {
        self.port = UInt32(port)
        self.event = event.rawValue
        self.value = value
    }

    /// The message in eight bytes.
    init(_ bytes: [UInt8]) {
        port = bytes.littleEndian(at: 0)
        event = bytes.littleEndian(at: 4)
        value = bytes.littleEndian(at: 6)
    }

    var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: port >> (8 * $0)) } + Self.bytes(event) + Self.bytes(value)
    }

    static func bytes(_ value: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
}
