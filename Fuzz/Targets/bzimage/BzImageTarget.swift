// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import Machines

/// The harness for libFuzzer: a file that claims to be a bzImage. The loader reads its first bytes and the file's size,
/// which the input's own last two bytes stand for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBzImage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let pages = bytes.suffix(2).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let size = UInt64(count) + pages << 12
    do {
        check(try BzImageHeader(bytes, fileSize: size), size: size)
    } catch {
        require(!error.description.isEmpty, "a refusal says nothing")
    }
    return 0
}

private func check(_ header: BzImageHeader, size: UInt64) {
    require(header.kernelOffset + header.kernelSize == size, "the kernel is not the rest of the file")
    require(header.kernelSize > 0 && header.workSize >= header.kernelSize, "the kernel has no room")
    for shift in 20..<33 {
        let end = UInt64(1) << UInt64(shift)
        let address = header.address(endOfMemory: end)
        require(address >= 0x10_0000, "the kernel lies where a PC has no RAM")
        require(address == header.preferredAddress || header.isRelocatable, "a kernel is moved that cannot be")
        let fits = address <= end && header.workSize <= end - address
        require(fits || address == header.preferredAddress, "a kernel is moved out of RAM")
    }
    plantedBug(header.isRelocatable && header.entry == .bits64 && header.preferredAddress & 0xFFFF == 0x4000)
}
