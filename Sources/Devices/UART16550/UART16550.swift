// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// A serial port: National Semiconductor's PC16550D (data sheet of June 1995; section numbers are its own).
///
/// One interrupt output. The line has no speed: a byte written is sent at once, so that the transmitter is always
/// empty, and a byte that came in waits for no timeout.
///
/// **Output never makes a vCPU wait.** The backend keeps a bounded amount for a slow reader; what does not fit is
/// dropped and counted in `droppedOutput`. Holding THRE at zero instead would be worse: drivers poll it with
/// interrupts off, so that a terminal nobody reads would hang the guest.
///
/// **Input is never dropped**: `receive` takes what the receiver has room for, and the backend's `resume()` asks for
/// the rest once the guest has read. A driver that starts empties the receiver (§8.5), and what a pipe had sent by then
/// would be gone; a port that `waitsForReader` takes input only from when the guest is seen to read (`isHeard`).
public final class UART16550: Device {
    /// What is saved and restored.
    public struct State: Equatable, Sendable {
        /// The receiver's FIFO, the oldest first: the byte in 7:0, its line status errors in 15:8.
        public internal(set) var received: [UInt16] = []
        /// Errors (`LineStatus`) that reading the line status clears; those of a byte count once it is the oldest.
        public internal(set) var lineErrors: UInt8 = 0
        public internal(set) var interruptEnable: UInt8 = 0
        /// How often the line status was read twice with nothing between, since the receiver was last emptied.
        public internal(set) var polls: UInt8 = 0
        /// The last access read the line status.
        public internal(set) var hasJustPolled = false
        /// The transmitter has become empty, and the guest has not been told.
        public internal(set) var isTransmitterNews = false
        /// The guest knows the identity register: it has read it since reset.
        public internal(set) var hasReadIdentity = false
        public internal(set) var fifoControl: UInt8 = 0
        public internal(set) var lineControl: UInt8 = 0
        public internal(set) var modemControl: UInt8 = 0
        /// The change bits of the modem status, 3:0.
        public internal(set) var modemChanges: UInt8 = 0
        public internal(set) var scratch: UInt8 = 0
        /// Kept, without effect.
        public internal(set) var divisor: UInt16 = 1
    }

    /// The registers now.
    public internal(set) var state = State()
    /// How many bytes the backend had no room for. Any thread may read it.
    public var droppedOutput: UInt64 { drops.total }

    /// Bytes for the backend since work was last taken.
    var outgoing: [UInt8] = []
    /// `receive` has refused bytes since the backend was last told to go on.
    var hasRefusedInput = false
    var wantsResume = false
    let waitsForReader: Bool
    private let backend: (any StreamBackend)?
    private let drops = DropCount()

    /// A port whose other end is `backend`; with nil it is connected to nothing. With `waitsForReader` it takes no
    /// input before the guest reads.
    public init(backend: (any StreamBackend)?, waitsForReader: Bool = false) {
        self.backend = backend
        self.waitsForReader = waitsForReader
    }

    /// Eight registers of a byte.
    public var windowSize: UInt64 { 8 }

    public var interruptLevels: UInt64 { interruptIdentity == .none ? 0 : 1 }

    public func takeWork() -> DeviceWork? {
        guard let backend else {
            outgoing.removeAll()
            wantsResume = false
            return nil
        }
        guard wantsResume || !outgoing.isEmpty else { return nil }
        let bytes = outgoing
        let resumes = wantsResume
        outgoing = []
        wantsResume = false
        return { [drops] in
            if !bytes.isEmpty { drops.add(bytes.count - backend.send(bytes)) }
            if resumes { backend.resume() }
        }
    }

    /// Master reset (§8.0, table I). Bytes that were received and not read are lost.
    public func reset() {
        state = State()
        outgoing.removeAll()
        noteRoom()
    }
}
