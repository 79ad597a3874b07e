// SPDX-License-Identifier: Apache-2.0

/// A node of a devicetree under construction: a value, built by closures and then flattened.
///
/// Names, values and cells are as Devicetree Specification 0.4 §2.2 has them; property values are big-endian.
public struct FDTNode: Sendable {
    /// The name with its unit address, such as `uart@10000000`; empty for the root.
    public let name: String
    private(set) var properties: [(name: String, value: [UInt8])] = []
    private(set) var children: [FDTNode] = []

    /// A node called `name` that `build` fills.
    public init(_ name: String, _ build: (inout FDTNode) -> Void = { _ in }) {
        self.name = name
        build(&self)
    }

    /// Adds a child called `name` that `build` fills.
    public mutating func node(_ name: String, _ build: (inout FDTNode) -> Void) {
        children.append(FDTNode(name, build))
    }

    /// Sets a property to raw bytes; again under the same name replaces it.
    public mutating func set(_ property: String, bytes: [UInt8]) {
        if let index = properties.firstIndex(where: { $0.name == property }) {
            properties[index].value = bytes
        } else {
            properties.append((property, bytes))
        }
    }

    /// Sets a property without value, whose presence says all (DTSpec 0.4 §2.2.4, `<empty>`).
    public mutating func set(flag property: String) { set(property, bytes: []) }

    /// Sets a property to 32-bit cells.
    public mutating func set(_ property: String, cells: UInt32...) { set(property, cells: cells) }

    /// Sets a property to 32-bit cells.
    public mutating func set(_ property: String, cells: [UInt32]) {
        set(property, bytes: cells.flatMap(FDTNode.bigEndian))
    }

    /// Sets a property to 64-bit numbers, two cells each.
    public mutating func set(_ property: String, doubles: UInt64...) {
        set(
            property, cells: doubles.flatMap { [UInt32(truncatingIfNeeded: $0 >> 32), UInt32(truncatingIfNeeded: $0)] })
    }

    /// Sets a property to one string, or to several, each ended by a zero byte. A zero inside a string would end it
    /// early, so it is left out.
    public mutating func set(_ property: String, strings: String...) { set(property, strings: strings) }

    /// Sets a property to a list of strings.
    public mutating func set(_ property: String, strings: [String]) {
        set(property, bytes: strings.flatMap { $0.utf8.filter { $0 != 0 } + [0] })
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func bigEndian(_ value: UInt64) -> [UInt8] {
        bigEndian(UInt32(truncatingIfNeeded: value >> 32)) + bigEndian(UInt32(truncatingIfNeeded: value))
    }
}
