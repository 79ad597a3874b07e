// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import Machines

/// The harness for libFuzzer: a file that claims to be a Linux Image.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzImage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        let header = try LinuxImageHeader(bytes)
        require(header.imageSize >= UInt64(bytes.count), "the image is smaller than its file")
        require(header.textOffset & 0xFFF == 0, "the image begins inside a page")
        let (_, overflow) = header.textOffset.addingReportingOverflow(header.imageSize)
        require(!overflow, "the image wraps around the address space")
        plantedBug(header.imageSize > 1 << 32 && header.textOffset == 0x40_0000)
    } catch {
        require(!error.description.isEmpty, "a refusal says nothing")
    }
    return 0
}
