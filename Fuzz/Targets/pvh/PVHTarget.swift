// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import Machines

/// The harness for libFuzzer: an ELF program for x86, of either class, with notes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPVH(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        let file = try ELFFile(bytes, for: .pc)
        let range = file.physicalRange
        for segment in file.segments {
            require(file.bytes(of: segment).count == Int(segment.fileSize), "a segment is not whole")
            let last = segment.physicalAddress + (segment.memorySize - 1)
            require(range.contains(segment.physicalAddress) && range.contains(last), "a segment is out of range")
        }
        require(bytes[4] == 2 || file.symbols(named: ["tohost"]).isEmpty, "symbols are read by the other class")
        if let entry = file.pvhEntry { plantedBug(bytes[4] == 1 && range.contains(entry)) }
    } catch {
        require(!error.description.isEmpty, "an error says nothing")
    }
    return 0
}
