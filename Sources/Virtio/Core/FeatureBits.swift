// SPDX-License-Identifier: Apache-2.0

/// Feature bits: 0 to 23 and 50 up belong to the device type, the rest to queues and transports (virtio 1.2 §2.2).
/// Each device's own stand in its folder.
public struct FeatureBits: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// VIRTIO_F_INDIRECT_DESC (§2.7.5.3).
    public static var indirectDescriptors: FeatureBits { bit(28) }
    /// VIRTIO_F_EVENT_IDX (§2.7.7, §2.7.10).
    public static var eventIndex: FeatureBits { bit(29) }
    /// VIRTIO_F_VERSION_1: the driver knows the standard, not only what came before it (§6).
    public static var version1: FeatureBits { bit(32) }

    /// What every device here offers. Not VIRTIO_F_ACCESS_PLATFORM, as there is no IOMMU; not VIRTIO_F_RING_RESET, as
    /// no device here has queues that a driver would change one by one.
    public static var common: FeatureBits { [.indirectDescriptors, .eventIndex, .version1] }

    /// Feature bit `number`.
    static func bit(_ number: UInt64) -> FeatureBits { FeatureBits(rawValue: 1 << number) }

    /// The 32 bits of `word` (0 or 1), as drivers read them; there is nothing behind.
    func word(_ word: UInt32) -> UInt32 {
        word < 2 ? UInt32(truncatingIfNeeded: rawValue >> (UInt64(word) * 32)) : 0
    }

    /// The same with the 32 bits of `word` replaced; words behind the last are ignored.
    func replacing(word: UInt32, with value: UInt32) -> FeatureBits {
        guard word < 2 else { return self }
        let shift = UInt64(word) * 32
        return FeatureBits(rawValue: rawValue & ~(0xFFFF_FFFF << shift) | UInt64(value) << shift)
    }
}
