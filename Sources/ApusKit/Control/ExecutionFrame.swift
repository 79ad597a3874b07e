// SPDX-License-Identifier: Apache-2.0

/// A frame of a connection that carries a command's streams: a byte for the kind, four for the payload's length
/// (little-endian), the payload. `docs/control-protocol.md` has the table.
package struct ExecutionFrame: Equatable, Sendable {
    /// What a frame carries.
    package enum Kind: UInt8, Sendable {
        // From the client.
        case stdin = 1
        case closeStdin = 2
        /// The guest's number (4).
        case signal = 3
        /// Stream (1), bytes (4): the client has dealt with so many.
        case consumed = 4

        // From the machine.
        case started = 16
        case stdout = 17
        case stderr = 18
        /// Bytes (4): the client may send so many more.
        case stdinRoom = 19
        /// The command takes no more stdin.
        case stdinClosed = 20
        /// Status (4), then why it did not start, in UTF-8.
        case ended = 21
        /// Why the command's fate is not known, in UTF-8.
        case lost = 22
    }

    /// Bytes of payload.
    package static let limit = 64 << 10
    static let headerSize = 5

    package var kind: Kind
    package var payload: [UInt8]

    package init(_ kind: Kind, _ payload: some Sequence<UInt8> = []) {
        self.kind = kind
        self.payload = Array(payload)
        precondition(self.payload.count <= ExecutionFrame.limit, "a frame's payload has a bound")
    }

    /// A frame of numbers.
    init(_ kind: Kind, byte: UInt8? = nil, _ number: UInt32) {
        self.init(kind, (byte.map { [$0] } ?? []) + ExecutionFrame.bytes(number))
    }

    /// The number at `offset` of the payload; nil where it is too short.
    func number(at offset: Int = 0) -> UInt32? {
        guard payload.count >= offset + 4 else { return nil }
        return payload[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// For the connection.
    package var encoded: [UInt8] { [kind.rawValue] + ExecutionFrame.bytes(UInt32(payload.count)) + payload }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

/// Cuts a stream of bytes into frames.
package struct ExecutionFramer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    /// Bytes that no frame was made of yet.
    var held: Int { bytes.count - start }

    package mutating func append(_ new: some Collection<UInt8>) {
        bytes.removeFirst(start)
        start = 0
        bytes += new
    }

    /// The next frame; nil where it is not there yet. Throws where the stream is no such stream.
    package mutating func next() throws(VirtualMachineError) -> ExecutionFrame? {
        let header = bytes[start...].prefix(ExecutionFrame.headerSize)
        guard header.count == ExecutionFrame.headerSize, let first = header.first else { return nil }
        let size = header.dropFirst().reversed().reduce(0) { $0 << 8 | Int($1) }
        guard let kind = ExecutionFrame.Kind(rawValue: first), size <= ExecutionFrame.limit else {
            throw VirtualMachineError(
                .configuration, "a frame of kind \(first) with \(size) bytes is none of the protocol")
        }
        let begin = start + ExecutionFrame.headerSize
        guard bytes.count - begin >= size else { return nil }
        defer { start = begin + size }
        return ExecutionFrame(kind, bytes[begin..<begin + size])
    }
}
