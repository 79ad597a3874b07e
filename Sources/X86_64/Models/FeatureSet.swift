// SPDX-License-Identifier: Apache-2.0

/// A set of features, laid out as CPUID shows them: a word for each register.
public struct FeatureSet: Sendable, Equatable, ExpressibleByArrayLiteral {
    private var words = InlineArray<12, UInt32>(repeating: 0)

    /// Nothing but `base`.
    public init() { insert(.base) }

    public init(arrayLiteral features: Feature...) {
        insert(.base)
        for feature in features { insert(feature) }
    }

    /// The register `word` as CPUID shows it.
    public subscript(word: FeatureWord) -> UInt32 { words[Int(word.rawValue)] }

    /// Whether the set has `feature`.
    public func contains(_ feature: Feature) -> Bool { words[feature.word] & feature.mask != 0 }

    /// Adds `feature`.
    public mutating func insert(_ feature: Feature) { words[feature.word] |= feature.mask }

    /// Takes `feature` out.
    public mutating func remove(_ feature: Feature) { words[feature.word] &= ~feature.mask }

    /// What is in either.
    public func union(_ other: FeatureSet) -> FeatureSet { combined(other, |) }

    /// What is in both.
    public func intersection(_ other: FeatureSet) -> FeatureSet { combined(other, &) }

    /// What is in this one alone.
    public func subtracting(_ other: FeatureSet) -> FeatureSet { combined(other) { $0 & ~$1 } }

    /// Whether there is none but `base`.
    public var isEmpty: Bool { self == FeatureSet() }

    public static func == (left: FeatureSet, right: FeatureSet) -> Bool {
        left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    private func combined(_ other: FeatureSet, _ body: (UInt32, UInt32) -> UInt32) -> FeatureSet {
        var result = FeatureSet()
        for index in words.indices { result.words[index] = body(words[index], other.words[index]) }
        result.insert(.base)
        return result
    }
}
