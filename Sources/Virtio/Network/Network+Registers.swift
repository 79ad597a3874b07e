// SPDX-License-Identifier: Apache-2.0

extension FeatureBits {
    /// VIRTIO_NET_F_MAC: the configuration space has the address (virtio 1.2 §5.1.3).
    static var networkMAC: FeatureBits { bit(5) }
    /// VIRTIO_NET_F_MRG_RXBUF: a frame may take several buffers.
    static var networkMergeableBuffers: FeatureBits { bit(15) }
    /// VIRTIO_NET_F_STATUS: the configuration space says whether the link is up.
    static var networkStatus: FeatureBits { bit(16) }
    /// VIRTIO_NET_F_CTRL_VQ.
    static var networkControlQueue: FeatureBits { bit(17) }
    /// VIRTIO_NET_F_CTRL_RX.
    static var networkControlReceive: FeatureBits { bit(18) }
    /// VIRTIO_NET_F_CTRL_RX_EXTRA.
    static var networkControlReceiveExtra: FeatureBits { bit(20) }
    /// VIRTIO_NET_F_CTRL_MAC_ADDR.
    static var networkControlMAC: FeatureBits { bit(23) }

    /// All that the network device offers.
    static var network: FeatureBits {
        [
            .networkMAC, .networkMergeableBuffers, .networkStatus, .networkControlQueue, .networkControlReceive,
            .networkControlReceiveExtra, .networkControlMAC,
        ]
    }
}

/// The fields of the configuration space: their offsets in struct virtio_net_config (virtio 1.2 §5.1.4).
enum NetworkConfig {
    static var mac: Int { 0 }  //     six bytes
    static var status: Int { 6 }  //  le16: bit 0 link up
    static var size: Int { 8 }

    /// VIRTIO_NET_S_LINK_UP.
    static var linkUp: UInt16 { 1 }
}

/// struct virtio_net_hdr before each frame (virtio 1.2 §5.1.6): byte flags, byte gso_type, le16 hdr_len, le16 gso_size,
/// le16 csum_start, le16 csum_offset, le16 num_buffers. All zero here but for the last.
enum NetworkHeader {
    static var bufferCount: Int { 10 }
    static var size: Int { 12 }
    /// Drivers that know neither the standard nor mergeable buffers leave the last field out (§5.1.6.1).
    static var legacySize: Int { 10 }

    /// The sizes of a frame without this header: from the Ethernet header to what `NetworkBackend` allows.
    static var frameSizes: ClosedRange<Int> { 14...65_550 }
}
