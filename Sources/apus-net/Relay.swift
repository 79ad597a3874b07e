// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage

/// The child's one loop: frames from the VM through the filter to libslirp, and what libslirp has for the guest back.
///
/// A VM that does not take its frames holds libslirp's sockets up, so that senders out there slow down; only what
/// libslirp makes beyond a bound is dropped, as on any wire.
final class Relay {
    private let channel: PacketChannel
    private let stack: SlirpStack
    private var filter: FrameFilter
    private let addresses: HostAddresses
    private var addressesRead: UInt64 = 0
    /// Frames for the guest that the socket did not take yet; those before `sent` have gone.
    private var outbound: [[UInt8]] = []
    private var sent = 0
    private var outboundBytes = 0
    private var buffer = [UInt8](repeating: 0, count: PacketChannel.largestFrame + 2)
    private var noticesLeft = 20
    /// Libslirp has had frames since its last turn: what they let go on is sent in the next, which must not wait.
    private var hasInput = false

    /// Bytes of frames that may wait for the VM.
    private static let outboundLimit = 4 << 20
    /// Frames taken from the VM before others get a turn.
    private static let framesPerTurn = 64
    /// The kernel tells of changed addresses; looking anyway every ten seconds covers a message that was lost.
    private static let addressLifetime: UInt64 = 10 * 1_000_000_000

    init(_ channel: PacketChannel, _ stack: SlirpStack, reachesHost: Bool) throws(HostError) {
        self.channel = channel
        self.stack = stack
        filter = FrameFilter(reachesHost: reachesHost)
        addresses = try HostAddresses()
        try readAddresses()
        stack.deliver = { [unowned self] in enqueue($0) }
        stack.complain = { [unowned self] in notice("libslirp: \($0)") }
    }

    /// Serves until the VM is gone. Throws where it can no longer keep the guest from the host.
    func run() throws(HostError) {
        while true {
            var entries = [
                pollfd(fd: channel.socket.rawValue, events: Int16(hasOutbound ? POLLIN | POLLOUT : POLLIN), revents: 0),
                pollfd(fd: addresses.changes.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let own = entries.count
            // Libslirp does not read what the guest would not take.
            let (asked, timeout) = hasOutbound ? ([], 1000) : stack.prepareToWait(atMost: 10_000)
            entries += asked
            // SAFETY: the array's own storage, for the length of the call.
            let limit = hasInput && !hasOutbound ? 0 : stack.timeUntilTimer(limit: timeout)
            let found = unsafe poll(&entries, nfds_t(entries.count), CInt(limit))
            hasInput = false
            if !asked.isEmpty || !hasOutbound { stack.finishWaiting(entries[own...], failed: found < 0) }

            if entries[1].revents != 0 { addresses.drainChanges() }
            if entries[1].revents != 0 || MonotonicTime.now - addressesRead > Self.addressLifetime {
                try readAddresses()
            }
            stack.runTimers()
            if entries[0].revents != 0 || hasOutbound, !exchangeFrames() { return }
        }
    }

    // MARK: Frames

    private var hasOutbound: Bool { sent < outbound.count }

    /// Takes frames from the VM, and gives it what it takes; false where it is gone.
    private func exchangeFrames() -> Bool {
        for _ in 0..<Self.framesPerTurn {
            switch channel.receive(using: &buffer) {
            case .packet(.frame, let frame): admit(frame)
            case .packet, .nonsense: continue
            case .none: return flush()
            case .ended: return false
            }
        }
        return flush()
    }

    private func admit(_ frame: [UInt8]) {
        switch filter.judge(frame, now: MonotonicTime.now) {
        case .pass:
            stack.input(frame)
            hasInput = true
        case .drop: break
        case .refuse(let answer): enqueue(answer)
        }
    }

    private func enqueue(_ frame: [UInt8]) {
        filter.note(toGuest: frame, now: MonotonicTime.now)
        guard outboundBytes + frame.count <= Self.outboundLimit else { return }
        outbound.append(frame)
        outboundBytes += frame.count
        _ = flush()
    }

    /// Sends what the socket takes; false where the VM is gone.
    private func flush() -> Bool {
        while hasOutbound {
            switch channel.send(.frame, outbound[sent]) {
            case .bytes:
                removeSent()
            case .wouldBlock: return true
            case .failed: return false
            }
        }
        return true
    }

    private func removeSent() {
        outboundBytes -= outbound[sent].count
        sent += 1
        // Half of the array has gone: moving the rest costs no more than sending that did.
        if sent * 2 >= outbound.count {
            outbound.removeFirst(sent)
            sent = 0
        }
    }

    /// Tells the VM's log; a guest that makes libslirp complain for ever is heard twenty times.
    private func notice(_ text: String) {
        guard noticesLeft > 0 else { return }
        noticesLeft -= 1
        _ = channel.send(.notice, Array(text.utf8.prefix(500)))
    }

    // MARK: Addresses

    private func readAddresses() throws(HostError) {
        filter.hostAddresses = Set(try addresses.all().compactMap { Address($0) })
        addressesRead = MonotonicTime.now
    }
}
