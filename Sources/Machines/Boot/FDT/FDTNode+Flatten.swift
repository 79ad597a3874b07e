// SPDX-License-Identifier: Apache-2.0

extension FDTNode {
    private enum Token {
        static let beginNode: UInt32 = 1
        static let endNode: UInt32 = 2
        static let property: UInt32 = 3
        static let end: UInt32 = 9
    }

    /// The tree below this node, which is its root, as a flattened devicetree of version 17 (DTSpec 0.4 chapter 5).
    ///
    /// Layout: the header (40 bytes), an empty memory reservation block, the structure block, the strings block.
    public func flattened(bootHart: UInt32 = 0) -> [UInt8] {
        var structure: [UInt8] = []
        var strings = Strings()
        append(to: &structure, &strings)
        structure += FDTNode.bigEndian(Token.end)

        let headerSize = 40
        let reservationOffset = headerSize
        let structureOffset = reservationOffset + 16
        let stringsOffset = structureOffset + structure.count
        let total = stringsOffset + strings.bytes.count
        let header: [UInt32] = [
            0xD00D_FEED, UInt32(total), UInt32(structureOffset), UInt32(stringsOffset), UInt32(reservationOffset),
            17, 16, bootHart, UInt32(strings.bytes.count), UInt32(structure.count),
        ]
        return header.flatMap(FDTNode.bigEndian) + [UInt8](repeating: 0, count: 16) + structure + strings.bytes
    }

    private func append(to structure: inout [UInt8], _ strings: inout Strings) {
        structure += FDTNode.bigEndian(Token.beginNode)
        structure += Array(name.utf8) + [0]
        FDTNode.pad(&structure)
        for property in properties {
            structure += FDTNode.bigEndian(Token.property)
            structure += FDTNode.bigEndian(UInt32(property.value.count))
            structure += FDTNode.bigEndian(strings.offset(of: property.name))
            structure += property.value
            FDTNode.pad(&structure)
        }
        for child in children { child.append(to: &structure, &strings) }
        structure += FDTNode.bigEndian(Token.endNode)
    }

    private static func pad(_ bytes: inout [UInt8]) {
        while bytes.count & 3 != 0 { bytes.append(0) }
    }

    /// The names of properties, each once.
    private struct Strings {
        private(set) var bytes: [UInt8] = []
        private var offsets: [String: UInt32] = [:]

        mutating func offset(of name: String) -> UInt32 {
            if let known = offsets[name] { return known }
            let offset = UInt32(bytes.count)
            bytes += Array(name.utf8) + [0]
            offsets[name] = offset
            return offset
        }
    }
}
