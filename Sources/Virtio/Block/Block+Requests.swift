// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

/// The request types (virtio 1.2 §5.2.6).
private enum BlockRequestType: UInt32 {
    case read = 0
    case write = 1
    case flush = 4
    case getID = 8
    case discard = 11
    case writeZeroes = 13
}

extension BlockDevice {
    /// Takes requests as long as there are slots for them.
    func processQueue() {
        let queue = core.queues[0]
        var ended = false
        repeat {
            while !freeSlots.isEmpty, let chain = core.popAvailable(0) {
                if start(chain, queue.epoch) { ended = true }
            }
            // Without a free slot nothing is asked for: the next answer of the backend brings us here again.
        } while !freeSlots.isEmpty && core.isRunning && queue.armNotifications()
        if ended { core.publishUsed(0) }
    }

    /// Starts the request in `chain`; true if it has ended already.
    private func start(_ chain: DescriptorChain, _ epoch: UInt32) -> Bool {
        // Without a status byte the driver could not learn what became of it.
        guard chain.writableCount > 0,
            let status = chain.writable.part(from: chain.writableCount - 1, count: 1).first,
            // struct virtio_blk_req: le32 type, le32 reserved, le64 sector; cut anywhere (§2.7.4.1).
            let header = core.memory.gather(chain.readable, count: 16)
        else {
            core.breakDown(.malformedRequest)
            return false
        }
        core.counters.requests &+= 1
        var slot = BlockSlot(head: chain.head, epoch: epoch, status: status)
        var operations: [BlockOperation] = []
        slot.result = plan(chain, header, &slot, &operations)
        guard slot.result == .ok, !operations.isEmpty, let index = freeSlots.popLast() else {
            finish(slot)
            return true
        }
        slot.outstanding = operations.count
        for operation in operations {
            submissions.append(BlockRequest(token: core.ledger.begin(slot: index), operation: operation))
        }
        slots[index] = slot
        return false
    }

    /// Checks a request and says what the backend is to do for it; nothing if it is done, or refused.
    private func plan(
        _ chain: DescriptorChain, _ header: [UInt8], _ slot: inout BlockSlot, _ operations: inout [BlockOperation]
    ) -> BlockStatus {
        let sector: UInt64 = header.littleEndian(at: 8)
        let dataIn = chain.writableCount - 1
        let dataOut = chain.readableCount - 16
        switch BlockRequestType(rawValue: header.littleEndian(at: 0)) {
        case .read:
            guard let offset = byteOffset(sector, dataIn) else { return .ioError }
            slot.toGuest = dataIn
            slot.data = chain.writable.part(from: 0, count: dataIn)
            for segment in slot.data { core.memory.noteWrite(at: segment.address, count: segment.count) }
            if dataIn > 0 { operations.append(.read(offset: offset, into: slot.data)) }
        case .write:
            guard !isReadOnly, let offset = byteOffset(sector, dataOut) else { return .ioError }
            slot.fromGuest = dataOut
            // §5.2.6.2: with FLUSH offered but not accepted, a write is stable when it ends.
            slot.flushesAfter = !core.hasFeature(.blockFlush)
            if dataOut > 0 { operations.append(.write(offset: offset, from: chain.readable.part(from: 16))) }
        case .flush:
            operations.append(.flush)
        case .getID:
            // 20 bytes, padded with NUL.
            let serial = Array(backend.serial.utf8.prefix(20))
            let identity = serial + [UInt8](repeating: 0, count: 20 - serial.count)
            let place = chain.writable.part(from: 0, count: dataIn)
            slot.toGuest = UInt64(core.memory.scatter(identity[...], over: place))
        case .discard:
            guard core.offeredFeatures.contains(.blockDiscard) else { return isReadOnly ? .ioError : .unsupported }
            return planRanges(chain, dataOut, unmapAllowed: false, &operations) { offset, count, _ in
                .discard(offset: offset, count: count)
            }
        case .writeZeroes:
            guard core.offeredFeatures.contains(.blockWriteZeroes)
            else { return isReadOnly ? .ioError : .unsupported }
            slot.flushesAfter = !core.hasFeature(.blockFlush)
            return planRanges(chain, dataOut, unmapAllowed: true, &operations) {
                .writeZeroes(offset: $0, count: $1, unmap: $2)
            }
        case nil:
            return .unsupported
        }
        return .ok
    }

    /// The byte offset of `count` bytes at `sector`, if they are whole sectors of the disk.
    private func byteOffset(_ sector: UInt64, _ count: UInt64) -> UInt64? {
        let (offset, overflow) = sector.multipliedReportingOverflow(by: BlockConfig.sectorSize)
        guard !overflow, count % BlockConfig.sectorSize == 0, offset <= capacity, count <= capacity - offset
        else { return nil }
        return offset
    }

    /// The ranges of a discard or write-zeroes request: each le64 sector, le32 sectors, le32 flags (bit 0: unmap).
    private func planRanges(
        _ chain: DescriptorChain, _ count: UInt64, unmapAllowed: Bool, _ operations: inout [BlockOperation],
        _ operation: (UInt64, UInt64, Bool) -> BlockOperation
    ) -> BlockStatus {
        guard count > 0, count % 16 == 0, count <= UInt64(BlockConfig.largestRangeCount) * 16,
            let table = core.memory.gather(chain.readable, from: 16, count: Int(count))
        else { return .ioError }
        var planned: [BlockOperation] = []
        for start in stride(from: 0, to: table.count, by: 16) {
            let flags: UInt32 = table.littleEndian(at: start + 12)
            // §5.2.6.2: unknown flags, and unmap for a discard.
            guard flags & ~(unmapAllowed ? 1 : 0) == 0 else { return .unsupported }
            let sectors: UInt32 = table.littleEndian(at: start + 8)
            let bytes = UInt64(sectors) * BlockConfig.sectorSize
            guard sectors <= BlockConfig.largestRange,
                let offset = byteOffset(table.littleEndian(at: start), bytes)
            else { return .ioError }
            if bytes > 0 { planned.append(operation(offset, bytes, flags & 1 != 0)) }
        }
        operations = planned
        return .ok
    }
}

extension [UInt8] {
    /// The little-endian integer at `offset`, which lies within.
    func littleEndian<T: FixedWidthInteger & UnsignedInteger>(at offset: Int) -> T {
        var value: T = 0
        for index in 0..<MemoryLayout<T>.size { value |= T(self[offset + index]) << T(index * 8) }
        return value
    }
}
