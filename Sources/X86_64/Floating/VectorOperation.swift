// SPDX-License-Identifier: Apache-2.0

/// What the vector room executes: `MicroOp.detail`.
enum VectorOperation: UInt16 {
    /// EMMS: empties the x87 tags.
    case emms
}
