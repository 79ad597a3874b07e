// SPDX-License-Identifier: Apache-2.0

/// A well-formed ELF program for tests, to be damaged by them.
struct TestELF {
    var type: UInt16 = 2
    var machine: UInt16 = 243
    var entry: UInt64 = 0x8000_0000
    /// Segments by virtual and physical address; `extra` is zeroed memory past the bytes.
    var segments: [(virtual: UInt64, physical: UInt64, bytes: [UInt8], extra: UInt64)] = [
        (0x8000_0000, 0x8000_0000, [0x13, 0, 0, 0], 0)
    ]
    var symbols: [(name: String, value: UInt64)] = []

    var bytes: [UInt8] {
        var body: [UInt8] = []
        var headers: [UInt8] = []
        let bodyOffset = 64 + segments.count * 56
        for segment in segments {
            headers += le(UInt32(1)) + le(UInt32(7)) + le(UInt64(bodyOffset + body.count))
            headers += le(segment.virtual) + le(segment.physical) + le(UInt64(segment.bytes.count))
            headers += le(UInt64(segment.bytes.count) &+ segment.extra) + le(UInt64(4096))
            body += segment.bytes
        }
        var strings: [UInt8] = [0]
        var table = [UInt8](repeating: 0, count: 24)
        for symbol in symbols {
            table += le(UInt32(strings.count)) + [0x11, 0] + le(UInt16(1)) + le(symbol.value) + le(UInt64(8))
            strings += Array(symbol.name.utf8) + [0]
        }
        let tableOffset = bodyOffset + body.count
        let stringsOffset = tableOffset + table.count
        let sectionsOffset = stringsOffset + strings.count
        var sections = [UInt8](repeating: 0, count: 64)
        sections += section(type: 2, offset: tableOffset, size: table.count, link: 2)
        sections += section(type: 3, offset: stringsOffset, size: strings.count, link: 0)
        return header(sectionsOffset) + headers + body + table + strings + sections
    }

    private func header(_ sections: Int) -> [UInt8] {
        let identity: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        let program = le(type) + le(machine) + le(UInt32(1)) + le(entry) + le(UInt64(64)) + le(UInt64(sections))
        let sizes = le(UInt32(0)) + le(UInt16(64)) + le(UInt16(56)) + le(UInt16(segments.count))
        return identity + program + sizes + le(UInt16(64)) + le(UInt16(3)) + le(UInt16(0))
    }

    private func section(type: UInt32, offset: Int, size: Int, link: UInt32) -> [UInt8] {
        le(UInt32(0)) + le(type) + le(UInt64(0)) + le(UInt64(0)) + le(UInt64(offset)) + le(UInt64(size)) + le(link)
            + le(UInt32(0)) + le(UInt64(8)) + le(UInt64(24))
    }

    private func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }
}
