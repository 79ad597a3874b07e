// SPDX-License-Identifier: Apache-2.0

/// What a driver did to a queue that no driver may do. The device stops and asks for a reset (virtio 1.2 §2.1.2).
public enum QueueFault: UInt8, Sendable, CaseIterable {
    /// The size is zero, no power of two or above the maximum (§2.7).
    case badSize
    /// A ring is not aligned, or not all in RAM (§2.7).
    case badRing
    /// The available index went further than the queue is long (§2.7.13.3).
    case availableIndexJumped
    /// A chain's head or a `next` is outside of its table (§2.7.5).
    case descriptorOutOfRange
    /// More descriptors than the queue has: a loop, or a chain that is too long (§2.7.5.2).
    case chainTooLong
    /// The chain's bytes do not fit in 32 bits (§2.7.5.2).
    case chainTooLarge
    /// A buffer of no bytes, which nobody could use.
    case emptyBuffer
    /// A buffer not all in RAM.
    case bufferOutsideMemory
    /// A buffer for the device to read behind one for it to write (§2.7.4.2).
    case readableAfterWritable
    /// An indirect table that was not negotiated, is nested, is chained on, or is no table (§2.7.5.3.1).
    case badIndirectTable
    /// A chain that the device's own protocol cannot do with: no place for an answer, say.
    case malformedRequest
}
