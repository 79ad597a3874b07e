// SPDX-License-Identifier: Apache-2.0

import CSlirp
import Glibc
import Host
import SystemPackage

/// libslirp: a network stack that plays the guest's router and turns its connections into sockets of this process.
///
/// One thread. What libslirp sends to the guest and what it asks of its host come back through `SlirpStack`'s closures.
@safe
final class SlirpStack {
    /// Takes a frame for the guest.
    var deliver: ([UInt8]) -> Void = { _ in }
    /// Hears what libslirp has to say of the guest's doings.
    var complain: (String) -> Void = { _ in }

    // SAFETY: libslirp's own, made in init and given back in deinit; used on this object's one thread.
    private var stack: OpaquePointer?
    // SAFETY: libslirp keeps the pointer to its callbacks, so they have a place of their own until deinit.
    private let callbacks: UnsafeMutablePointer<SlirpCb>
    fileprivate var timers: [Int: Timer] = [:]
    fileprivate var nextTimer = 1
    /// What libslirp waits for in this turn.
    fileprivate var waiting: [pollfd] = []

    /// A timer of libslirp's: when it is due, in milliseconds of `MonotonicTime`, and what is handed back.
    @safe
    fileprivate struct Timer {
        let id: SlirpTimerId
        // SAFETY: libslirp's own value, handed back to it.
        nonisolated(unsafe) let argument: UnsafeMutableRawPointer?
        var deadline: UInt64?
    }

    init(_ options: UserNetworkOptions) throws(HostError) {
        unsafe callbacks = .allocate(capacity: 1)
        unsafe callbacks.initialize(to: makeSlirpCallbacks())
        var configuration = unsafe SlirpConfig()
        // The newest version that Debian 12's libslirp knows; newer ones accept it.
        unsafe configuration.version = 4
        unsafe configuration.in_enabled = true
        unsafe configuration.vnetwork = VirtualNetwork.network4.slirp4
        unsafe configuration.vnetmask = Address.v4(255, 255, 255, 0).slirp4
        unsafe configuration.vhost = VirtualNetwork.gateway4.slirp4
        unsafe configuration.vdhcp_start = VirtualNetwork.guest4.slirp4
        unsafe configuration.vnameserver = VirtualNetwork.nameServer4.slirp4
        unsafe configuration.in6_enabled = true
        unsafe configuration.vprefix_addr6 = VirtualNetwork.network6.slirp6
        unsafe configuration.vprefix_len = UInt8(VirtualNetwork.prefix6)
        unsafe configuration.vhost6 = VirtualNetwork.gateway6.slirp6
        unsafe configuration.vnameserver6 = VirtualNetwork.nameServer6.slirp6
        // The second lock on the gateway's address; the filter is the first. It would also stop the answers to datagrams
        // that a forward brought from the host's loopback.
        let forwardsDatagrams = options.forwards.contains { $0.transport == .udp }
        unsafe configuration.disable_host_loopback = !options.reachesHost && !forwardsDatagrams
        // SAFETY: the name lives for the call, which copies it; `self` outlives the stack.
        let name = options.hostname
        unsafe stack = withOptionalCString(name) { name in
            unsafe configuration.vhostname = name
            return unsafe slirp_new(&configuration, callbacks, Unmanaged.passUnretained(self).toOpaque())
        }
        guard unsafe stack != nil else { throw HostError("cannot start libslirp") }
        for forward in options.forwards { try add(forward) }
    }

    deinit {
        // SAFETY: made in init, given back once.
        if let stack = unsafe stack { unsafe slirp_cleanup(stack) }
        unsafe callbacks.deallocate()
    }

    private func add(_ forward: PortForward) throws(HostError) {
        let host = in_addr(s_addr: forward.address.value.bigEndian)
        // SAFETY: `stack` is libslirp's.
        let result = unsafe slirp_add_hostfwd(
            stack, forward.transport == .udp ? 1 : 0, host, CInt(forward.hostPort), VirtualNetwork.guest4.slirp4,
            CInt(forward.guestPort))
        guard result == 0 else {
            throw HostError(
                "cannot forward \(forward.transport) port \(forward.hostPort) of \(forward.address)",
                .init(rawValue: errno), remedy: "choose a port that is free and yours to use")
        }
    }

    // MARK: Each turn

    /// Gives libslirp a frame of the guest's.
    func input(_ frame: [UInt8]) {
        // SAFETY: the array's own storage; libslirp copies it.
        unsafe frame.withUnsafeBufferPointer { unsafe slirp_input(stack, $0.baseAddress, CInt($0.count)) }
    }

    /// The descriptors that libslirp waits for, and how long it can wait at most, in milliseconds.
    func prepareToWait(atMost milliseconds: UInt32) -> ([pollfd], UInt32) {
        waiting.removeAll(keepingCapacity: true)
        var timeout = milliseconds
        // SAFETY: the callback appends to `waiting` during the call.
        unsafe slirp_pollfds_fill(stack, &timeout, addSlirpPoll, Unmanaged.passUnretained(self).toOpaque())
        return (waiting, timeout)
    }

    /// Tells libslirp what poll(2) found of the descriptors that it was asked for; `failed` if poll did.
    func finishWaiting(_ found: ArraySlice<pollfd>, failed: Bool) {
        waiting = Array(found)
        // SAFETY: the callback reads `waiting` during the call.
        unsafe slirp_pollfds_poll(
            stack, failed ? 1 : 0, slirpPollResult, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Milliseconds until the next timer, at most `limit`.
    func timeUntilTimer(limit: UInt32) -> UInt32 {
        let now = MonotonicTime.now / 1_000_000
        let next = timers.values.compactMap(\.deadline).min() ?? .max
        return UInt32(min(UInt64(limit), next > now ? next - now : 0))
    }

    /// Runs the timers that are due.
    func runTimers() {
        let now = MonotonicTime.now / 1_000_000
        for (number, timer) in timers where timer.deadline.map({ $0 <= now }) == true {
            timers[number]?.deadline = nil
            // SAFETY: libslirp's own argument, handed back.
            unsafe slirp_handle_timer(stack, timer.id, timer.argument)
        }
    }
}

extension Address {
    fileprivate var slirp4: in_addr {
        guard case .v4(let value) = self else { return in_addr() }
        return in_addr(s_addr: value.bigEndian)
    }

    fileprivate var slirp6: in6_addr {
        var result = in6_addr()
        // SAFETY: 16 bytes into the 16 of the local.
        unsafe withUnsafeMutableBytes(of: &result) { unsafe $0.copyBytes(from: bytes) }
        return result
    }
}

// SAFETY: the string lives for the call of `body`.
private func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return unsafe text.withCString { unsafe body($0) }
}

// MARK: What libslirp calls

// "As agreed" below: `opaque` is the `SlirpStack` that was handed to slirp_new and outlives libslirp's stack, all on one
// thread; what libslirp hands over is good for the call.

// SAFETY: as agreed.
private func stackObject(_ opaque: UnsafeMutableRawPointer?) -> SlirpStack? {
    unsafe opaque.map { unsafe Unmanaged<SlirpStack>.fromOpaque($0).takeUnretainedValue() }
}

// SAFETY: functions of this file, which live for ever.
private func makeSlirpCallbacks() -> SlirpCb {
    var callbacks = SlirpCb()
    unsafe callbacks.send_packet = slirpSend
    unsafe callbacks.guest_error = slirpGuestError
    unsafe callbacks.clock_get_ns = slirpClock
    unsafe callbacks.timer_new_opaque = slirpNewTimer
    unsafe callbacks.timer_free = slirpFreeTimer
    unsafe callbacks.timer_mod = slirpSetTimer
    unsafe callbacks.register_poll_fd = slirpIgnoreDescriptor
    unsafe callbacks.unregister_poll_fd = slirpIgnoreDescriptor
    unsafe callbacks.notify = slirpIgnoreNotice
    return callbacks
}

// SAFETY: as agreed.
private func slirpSend(_ bytes: UnsafeRawPointer?, _ count: Int, _ opaque: UnsafeMutableRawPointer?) -> Int {
    guard let bytes = unsafe bytes, count > 0 else { return 0 }
    unsafe stackObject(opaque)?.deliver(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    return count
}

// SAFETY: as agreed.
private func slirpGuestError(_ text: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?) {
    guard let text = unsafe text else { return }
    unsafe stackObject(opaque)?.complain(String(cString: text))
}

private func slirpClock(_ opaque: UnsafeMutableRawPointer?) -> Int64 { Int64(clamping: MonotonicTime.now) }

// SAFETY: as agreed.
private func slirpNewTimer(
    _ id: SlirpTimerId, _ argument: UnsafeMutableRawPointer?, _ opaque: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    guard let stack = unsafe stackObject(opaque) else { return nil }
    defer { stack.nextTimer += 1 }
    unsafe stack.timers[stack.nextTimer] = SlirpStack.Timer(id: id, argument: argument, deadline: nil)
    // A number, never dereferenced.
    return unsafe UnsafeMutableRawPointer(bitPattern: stack.nextTimer)
}

// SAFETY: as agreed.
private func slirpFreeTimer(_ timer: UnsafeMutableRawPointer?, _ opaque: UnsafeMutableRawPointer?) {
    unsafe stackObject(opaque)?.timers[Int(bitPattern: timer)] = nil
}

// SAFETY: as agreed.
private func slirpSetTimer(_ timer: UnsafeMutableRawPointer?, _ deadline: Int64, _ opaque: UnsafeMutableRawPointer?) {
    unsafe stackObject(opaque)?.timers[Int(bitPattern: timer)]?.deadline = UInt64(clamping: deadline)
}

private func slirpIgnoreDescriptor(_ descriptor: CInt, _ opaque: UnsafeMutableRawPointer?) {}

private func slirpIgnoreNotice(_ opaque: UnsafeMutableRawPointer?) {}

private let pollBits: [(slirp: CInt, poll: CInt)] = [
    (1, POLLIN), (2, POLLOUT), (4, POLLPRI), (8, POLLERR), (16, POLLHUP),
]

// SAFETY: as agreed.
private func addSlirpPoll(_ descriptor: CInt, _ events: CInt, _ opaque: UnsafeMutableRawPointer?) -> CInt {
    guard let stack = unsafe stackObject(opaque) else { return -1 }
    let wanted = pollBits.reduce(CInt(0)) { events & $1.slirp != 0 ? $0 | $1.poll : $0 }
    stack.waiting.append(pollfd(fd: descriptor, events: Int16(wanted), revents: 0))
    return CInt(stack.waiting.count - 1)
}

// SAFETY: as agreed.
private func slirpPollResult(_ index: CInt, _ opaque: UnsafeMutableRawPointer?) -> CInt {
    guard let stack = unsafe stackObject(opaque), stack.waiting.indices.contains(Int(index)) else { return 0 }
    let found = CInt(stack.waiting[Int(index)].revents)
    return pollBits.reduce(0) { found & $1.poll != 0 ? $0 | $1.slirp : $0 }
}
