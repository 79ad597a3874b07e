// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import Machines

/// The harness for libFuzzer: a file that claims to be an ELF program.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzELF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        check(try ELFFile(bytes), size: bytes.count)
    } catch {
        require(!error.description.isEmpty, "an error says nothing")
    }
    return 0
}

private func check(_ file: ELFFile, size: Int) {
    require(!file.segments.isEmpty, "a program without a segment")
    let range = file.physicalRange
    for segment in file.segments {
        let bytes = file.bytes(of: segment)
        require(bytes.count == Int(segment.fileSize) && bytes.count <= size, "a segment is not whole")
        require(segment.fileSize <= segment.memorySize && segment.memorySize > 0, "a segment has no room")
        require(range.contains(segment.physicalAddress), "a segment lies outside of the program's range")
        let last = segment.physicalAddress + (segment.memorySize - 1)
        require(range.contains(last), "a segment ends outside of the program's range")
        require(file.physicalAddress(of: segment.virtualAddress) != nil, "a segment's own address is in no segment")
    }
    let symbols = file.symbols(named: ["tohost", "fromhost"])
    require(symbols.count <= 2, "more symbols are found than were asked for")
    plantedBug(file.isPositionIndependent && symbols.count == 2)
}
