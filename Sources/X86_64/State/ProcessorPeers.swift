// SPDX-License-Identifier: Apache-2.0

/// The other processors of a machine, as one of them needs to reach them. The machine sets it (`Processor.peers`) before
/// any of them runs; with one processor there is none.
public protocol ProcessorPeers: AnyObject, Sendable {
    /// A page got a code mark in the write hook: posts `Mailbox.Requests.forgetWrites` to every processor but `id`.
    func forgetWrites(except id: Int)
}
