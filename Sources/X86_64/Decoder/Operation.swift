// SPDX-License-Identifier: Apache-2.0

/// What a micro-op does. Contiguous from zero, so that the interpreter's switch is one jump table.
///
/// The rooms stand for all that is outlined: the loop hands such a micro-op to the room's function, which looks at
/// `MicroOp.detail`. The other operations are forms that the decoder picks where the loop itself is to be fast.
enum Operation: UInt16, Sendable {
    // What the code cache itself means.
    case leave, straddle, link, breakpointHit, undefined
    // Rooms: see `IntegerOperation`, `SystemOperation`, `X87Operation`, `VectorOperation`.
    case integer, system, x87, vector
}
