// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import Testing

@Suite struct CacheMappingTests {
    @Test("memory is zero, whole pages, writable to its last byte, and a mapping of its own")
    func basics() throws {
        let mapping = try CacheMapping(size: 5000, name: "test caches")
        #expect(mapping.size == 8192)
        let last = mapping.base + mapping.size - 1
        #expect(last.load(as: UInt8.self) == 0)
        last.storeBytes(of: 0xA5, as: UInt8.self)
        let start = String(UInt(bitPattern: mapping.base), radix: 16)
        let end = String(UInt(bitPattern: mapping.base) + 8192, radix: 16)
        #expect(try TextFile.read("/proc/self/maps", limit: 1 << 22).contains("\(start)-\(end) rw-p"))
    }

    @Test("the bytes past the end and before the start are guards", arguments: [-1, 4096])
    func guards(offset: Int) async {
        await #expect(processExitsWith: .failure) { [offset] in
            let mapping = try CacheMapping(size: 4096, name: "test caches")
            (mapping.base + offset).storeBytes(of: 1, as: UInt8.self)
            exit(0)
        }
    }
}
