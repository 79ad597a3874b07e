// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension FeatureBits {
    /// VIRTIO_BALLOON_F_STATS_VQ: the driver tells how it uses its memory (virtio 1.2 §5.5.3).
    static var balloonStatistics: FeatureBits { bit(1) }
    /// VIRTIO_BALLOON_F_DEFLATE_ON_OOM: the driver may take pages back when it would run out of memory otherwise.
    static var balloonDeflateOnOOM: FeatureBits { bit(2) }
    /// VIRTIO_BALLOON_F_PAGE_POISON: free pages hold `poison_val`, and are expected to.
    static var balloonPagePoison: FeatureBits { bit(4) }
    /// VIRTIO_BALLOON_F_PAGE_REPORTING: the driver tells which pages are free.
    static var balloonPageReporting: FeatureBits { bit(5) }
}

/// The fields of the configuration space: their offsets in struct virtio_balloon_config (virtio 1.2 §5.5.4).
enum BalloonConfig {
    static var target: Int { 0 }  //       le32 num_pages, in pages of 4 KiB
    static var actual: Int { 4 }  //       le32, written by the driver
    static var hintCommand: Int { 8 }  //  le32 free_page_hint_cmd_id: 0, as hinting is not offered
    static var poison: Int { 12 }  //      le32 poison_val, written by the driver
    static var size: Int { 16 }
}

extension BalloonDevice {
    /// What a queue is for.
    enum Role {
        case inflate, deflate, statistics, reporting
    }

    static var queueSize: UInt16 { 128 }

    /// Not MUST_TELL_HOST: a page is touched by nobody but the guest once its inflation was answered. Not
    /// FREE_PAGE_HINT: nothing here moves a running guest to another host.
    static var features: FeatureBits {
        [.balloonStatistics, .balloonDeflateOnOOM, .balloonPagePoison, .balloonPageReporting]
    }

    /// What queue `index` is for, or nil where the driver has not negotiated it.
    ///
    /// virtio 1.2 §5.5.2 numbers the queues 0 to 4 whichever exist. Drivers that number only those that they negotiated
    /// are as common (Linux did until 6.11), so a queue whose feature is absent stands for the next one.
    func role(ofQueue index: Int) -> Role? {
        switch index {
        case 0: .inflate
        case 1: .deflate
        case 2 where core.hasFeature(.balloonStatistics): .statistics
        default: core.hasFeature(.balloonPageReporting) ? .reporting : nil
        }
    }

    public func writeConfig(_ value: UInt64, at offset: UInt64, width: AccessWidth) {
        for index in 0..<width.bytes {
            let (place, overflow) = offset.addingReportingOverflow(index)
            guard !overflow, place < UInt64(BalloonConfig.size), isWritable(Int(place)) else { continue }
            core.config.set(UInt8(truncatingIfNeeded: value >> (8 * index)), at: Int(place))
        }
    }

    private func isWritable(_ place: Int) -> Bool {
        switch place {
        case BalloonConfig.actual..<BalloonConfig.actual + 4: true
        // §5.5.6.6: settled before DRIVER_OK.
        case BalloonConfig.poison..<BalloonConfig.size:
            core.hasFeature(.balloonPagePoison) && !core.status.contains(.driverOK)
        default: false
        }
    }

    /// Whether the driver counts on what its free pages hold, and that is not zero: then the pages it reports keep
    /// their content, as what the host has for them instead is zero (§5.5.6.7).
    var keepsReportedPages: Bool { core.hasFeature(.balloonPagePoison) && config(BalloonConfig.poison) != 0 }

    /// The 32 bits at `offset` of the configuration space.
    func config(_ offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: core.config.read(at: UInt64(offset), width: .word))
    }
}
