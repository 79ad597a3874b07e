// SPDX-License-Identifier: Apache-2.0

import VMMemory

/// What the bus sends an access to: a device's adaptor, which locks. Called by any vCPU's thread.
public protocol BusTarget: AnyObject, Sendable {
    /// Reads at `offset` within the target's range.
    func busRead(at offset: UInt64, width: AccessWidth) -> UInt64
    /// Writes at `offset` within the target's range.
    func busWrite(_ value: UInt64, at offset: UInt64, width: AccessWidth)
}

/// The machine's address decoder for all that is not RAM: ranges that do not overlap, each with its target.
///
/// Built before the first instruction; ranges that move while the guest runs (PCI BARs) sit behind a target of their
/// own that decodes a whole window.
public final class Bus: Sendable {
    /// One range and what answers there.
    public struct Attachment: Sendable {
        /// The first address.
        public let base: GuestAddress
        /// The size in bytes, not zero.
        public let size: UInt64
        /// A name for statistics and errors.
        public let name: String
        /// What answers.
        public let target: any BusTarget

        /// A range of `size` bytes at `base` that `target` answers.
        public init(base: GuestAddress, size: UInt64, name: String, target: any BusTarget) {
            precondition(size > 0 && size - 1 <= UInt64.max - base.value, "a bus range lies in the address space")
            self.base = base
            self.size = size
            self.name = name
            self.target = target
        }
    }

    /// The ranges by rising address.
    public let attachments: [Attachment]

    /// A bus of these ranges, in any order; they must not overlap.
    public init(_ attachments: [Attachment]) {
        let sorted = attachments.sorted { $0.base < $1.base }
        for (lower, upper) in zip(sorted, sorted.dropFirst()) {
            precondition(upper.base - lower.base >= lower.size, "bus ranges do not overlap")
        }
        self.attachments = sorted
    }

    /// The range that holds all bytes of an access, or nil.
    public func attachment(at address: GuestAddress, width: AccessWidth) -> Attachment? {
        var low = 0
        var high = attachments.count
        while low < high {
            let middle = (low + high) / 2
            if attachments[middle].base <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let found = attachments[low - 1]
        let offset = address - found.base
        return offset < found.size && width.bytes <= found.size - offset ? found : nil
    }

    /// Reads, or nil where nothing answers (the architecture's access fault).
    public func read(at address: GuestAddress, width: AccessWidth) -> UInt64? {
        guard let found = attachment(at: address, width: width) else { return nil }
        return found.target.busRead(at: address - found.base, width: width) & width.mask
    }

    /// Writes; false where nothing answers.
    public func write(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool {
        guard let found = attachment(at: address, width: width) else { return false }
        found.target.busWrite(value & width.mask, at: address - found.base, width: width)
        return true
    }
}
