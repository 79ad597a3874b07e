// SPDX-License-Identifier: Apache-2.0

/// The bytes each way: receiver, transmitter, FIFOs.
extension UART16550 {
    /// Bytes from the outside: takes as many from the front as there is room for, and answers how many. After less
    /// than all the backend keeps the rest until its `resume()`.
    public func receive(_ bytes: [UInt8]) -> Int {
        let taken = min(bytes.count, room)
        state.received.append(contentsOf: bytes.prefix(taken).map(UInt16.init))
        if taken < bytes.count { hasRefusedInput = true }
        return taken
    }

    /// A break from the outside: a zero byte with the break mark (§8.4), which Linux takes for the SysRq key. It is
    /// lost where there is no room.
    public func receiveBreak() {
        guard room > 0 else { return }
        state.received.append(UInt16(LineStatus.breakInterrupt) << 8)
        exposeOldest()
    }

    /// How many bytes `receive` takes now. In loopback none: the receiver is not connected to the outside (§8.8).
    public var room: Int { isLoopback || waitsForReader && !isHeard ? 0 : capacity - state.received.count }

    /// Whether the guest listens: the receiver's interrupt is enabled, or it polls. A driver's look at the line status
    /// while it writes or starts does not count: it goes on with another register.
    public var isHeard: Bool {
        state.interruptEnable & InterruptEnable.receivedData != 0 || state.polls >= 4
    }

    /// Notes an access for `isHeard`.
    func notePoll(_ isPoll: Bool) {
        if isPoll && state.hasJustPolled && state.polls < 4 { state.polls += 1 }
        state.hasJustPolled = isPoll
    }

    var hasFIFOs: Bool { state.fifoControl & FIFOControl.enable != 0 }
    var isLoopback: Bool { state.modemControl & ModemControl.loopback != 0 }
    private var capacity: Int { hasFIFOs ? 16 : 1 }

    /// How many received bytes raise the received data interrupt (§8.5, bits 7:6). With fewer it is the character
    /// timeout's, at once.
    var triggerLevel: Int {
        guard hasFIFOs else { return 1 }
        return switch state.fifoControl >> 6 {
        case 0: 1
        case 1: 4
        case 2: 8
        default: 14
        }
    }

    func takeReceived() -> UInt8 {
        guard !state.received.isEmpty else { return 0 }
        let byte = UInt8(truncatingIfNeeded: state.received.removeFirst())
        exposeOldest()
        return byte
    }

    func transmit(_ byte: UInt8) {
        if isLoopback { loop(byte) } else { outgoing.append(byte) }
        // Empty again, at once (§8.11).
        state.isTransmitterNews = true
    }

    func controlFIFOs(_ byte: UInt8) {
        let changed = (byte ^ state.fifoControl) & FIFOControl.enable != 0
        // §8.5: switching the FIFOs on or off empties them. The transmitter's is always empty.
        if changed || byte & FIFOControl.resetReceiver != 0 { emptyReceiver(keepingHeld: !hasFIFOs) }
        // §8.5: without the enable bit the other bits are not programmed.
        state.fifoControl = byte & FIFOControl.enable != 0 ? byte & FIFOControl.kept : 0
    }

    /// What was received is gone, but for the one byte that a port without FIFOs may hold when they are switched on: it is
    /// in no FIFO yet, and Linux enables the interrupt before it comes to that.
    private func emptyReceiver(keepingHeld: Bool) {
        state.polls = 0
        if waitsForReader && keepingHeld && isHeard { return }
        state.received.removeAll(keepingCapacity: true)
    }

    /// Asks the backend for what was refused, when the receiver is empty: while it is not, the guest has something to
    /// read and will come back.
    func noteRoom() {
        guard hasRefusedInput, room > 0, state.received.isEmpty else { return }
        hasRefusedInput = false
        wantsResume = true
    }

    /// The port's own byte comes back to it. The only way to overrun: §8.4 keeps a full FIFO and loses the new byte;
    /// without FIFOs the new byte takes the old one's place.
    private func loop(_ byte: UInt8) {
        guard state.received.count >= capacity else { return state.received.append(UInt16(byte)) }
        state.lineErrors |= LineStatus.overrun
        if !hasFIFOs { state.received = [UInt16(byte)] }
    }

    /// §8.4: a byte's errors show in the line status once it is the oldest.
    private func exposeOldest() {
        guard let oldest = state.received.first else { return }
        state.lineErrors |= UInt8(oldest >> 8)
        state.received[0] = oldest & 0xFF
    }
}
