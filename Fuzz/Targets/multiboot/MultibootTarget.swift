// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import Machines

/// The harness for libFuzzer: a file that may have a Multiboot header.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMultiboot(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        guard let header = try MultibootHeader(bytes, fileSize: UInt64(count)) else { return 0 }
        if let addresses = header.addresses { check(addresses, size: UInt64(count)) }
        plantedBug(header.alignsModules && (header.addresses?.memorySize ?? 0) > 1 << 20)
    } catch {
        require(!error.description.isEmpty, "a refusal says nothing")
    }
    return 0
}

private func check(_ addresses: MultibootHeader.Addresses, size: UInt64) {
    require(addresses.fileOffset <= size, "what is loaded begins behind the file")
    require(addresses.fileSize <= size - addresses.fileOffset, "what is loaded is not in the file")
    require(addresses.fileSize <= addresses.memorySize, "what is loaded has no room")
    let end = addresses.loadAddress + addresses.memorySize
    require(addresses.entry >= addresses.loadAddress && addresses.entry < end, "it starts outside of itself")
}
