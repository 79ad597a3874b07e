// SPDX-License-Identifier: Apache-2.0

import CHost

/// The kernel's random numbers, fit for keys.
public enum Randomness {
    /// `count` bytes. Blocks only until the kernel's generator has been seeded, early in the host's boot.
    public static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            // SAFETY: the rest of the array's own storage, for the length of the call.
            let step = unsafe result.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                return retryingInterrupts { unsafe getrandom(rest.baseAddress, rest.count, 0) }
            }
            guard case .success(let got) = step, got > 0 else { break }
            filled += got
        }
        precondition(filled == count, "getrandom(2) works on every Linux that Apus runs on")
        return result
    }
}
