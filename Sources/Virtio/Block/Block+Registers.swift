// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension FeatureBits {
    /// VIRTIO_BLK_F_SEG_MAX: `seg_max` says how many data segments a request may have (virtio 1.2 §5.2.3).
    static var blockSegmentMaximum: FeatureBits { bit(2) }
    /// VIRTIO_BLK_F_RO.
    static var blockReadOnly: FeatureBits { bit(5) }
    /// VIRTIO_BLK_F_BLK_SIZE.
    static var blockSize: FeatureBits { bit(6) }
    /// VIRTIO_BLK_F_FLUSH: writes are volatile until flushed.
    static var blockFlush: FeatureBits { bit(9) }
    /// VIRTIO_BLK_F_DISCARD.
    static var blockDiscard: FeatureBits { bit(13) }
    /// VIRTIO_BLK_F_WRITE_ZEROES.
    static var blockWriteZeroes: FeatureBits { bit(14) }
}

/// The fields of the configuration space: their offsets in struct virtio_blk_config (virtio 1.2 §5.2.4).
enum BlockConfig {
    static var capacity: Int { 0 }  //               le64, in sectors
    static var segmentMaximum: Int { 12 }  //        le32
    static var blockSize: Int { 20 }  //             le32, in bytes
    static var discardSectors: Int { 36 }  //        le32, of one segment
    static var discardSegments: Int { 40 }  //       le32, of one request
    static var discardAlignment: Int { 44 }  //      le32, in sectors
    static var writeZeroesSectors: Int { 48 }  //    le32
    static var writeZeroesSegments: Int { 52 }  //   le32
    static var writeZeroesMayUnmap: Int { 56 }  //   byte
    static var size: Int { 60 }

    /// The unit of all sector numbers, whatever the block size.
    static var sectorSize: UInt64 { 512 }
    /// The most segments of a discard or write-zeroes request.
    static var largestRangeCount: Int { 16 }
    /// The most sectors of such a segment: 1 GiB, so that one request does not keep a backend's thread for ever.
    static var largestRange: UInt32 { 1 << 21 }
}

extension BlockDevice {
    static var queueSize: UInt16 { 256 }

    static func features(of backend: any BlockBackend) -> FeatureBits {
        var features: FeatureBits = [.blockSegmentMaximum, .blockSize, .blockFlush]
        if backend.isReadOnly {
            features.insert(.blockReadOnly)
        } else if backend.supportsDiscard {
            features.formUnion([.blockDiscard, .blockWriteZeroes])
        }
        return features
    }

    /// Fills in what never changes, and the capacity of now.
    func writeConfigFields() {
        core.config.set(capacity / BlockConfig.sectorSize, at: BlockConfig.capacity)
        // A chain holds as many descriptors as the queue; header and status take one each.
        core.config.set(UInt32(Self.queueSize - 2), at: BlockConfig.segmentMaximum)
        core.config.set(UInt32(BlockConfig.sectorSize), at: BlockConfig.blockSize)
        guard core.offeredFeatures.contains(.blockDiscard) else { return }
        core.config.set(BlockConfig.largestRange, at: BlockConfig.discardSectors)
        core.config.set(UInt32(BlockConfig.largestRangeCount), at: BlockConfig.discardSegments)
        core.config.set(UInt32(8), at: BlockConfig.discardAlignment)
        core.config.set(BlockConfig.largestRange, at: BlockConfig.writeZeroesSectors)
        core.config.set(UInt32(BlockConfig.largestRangeCount), at: BlockConfig.writeZeroesSegments)
        core.config.set(UInt8(1), at: BlockConfig.writeZeroesMayUnmap)
    }
}
