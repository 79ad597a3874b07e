// SPDX-License-Identifier: Apache-2.0

import CHost
import Glibc
public import SystemPackage

/// A set of the host's CPUs by number, as people and the kernel write it: `0-3,8`.
public struct CPUSet: Hashable, Sendable, CustomStringConvertible {
    /// The highest number that is understood, and one more.
    public static let limit = 1024
    static let wordCount = limit / 64

    /// 64 CPUs a word, the lowest bit the first.
    var words: [UInt64]

    /// No CPU.
    public init() { words = [UInt64](repeating: 0, count: CPUSet.wordCount) }

    init(words: [UInt64]) { self.words = words }

    /// The CPUs of `numbers` below the limit.
    public init(_ numbers: some Sequence<Int>) {
        self.init()
        for number in numbers where (0..<CPUSet.limit).contains(number) {
            words[number >> 6] |= 1 << UInt64(number & 63)
        }
    }

    /// Numbers and ranges with commas between them (cpuset(7), "List format"); nil where it is not one, or empty.
    public init?(list: String) {
        self.init()
        for range in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Self.number($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                return nil
            }
            for number in first...last { words[number >> 6] |= 1 << UInt64(number & 63) }
        }
    }

    private static func number(_ digits: Substring) -> Int? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(digits) else {
            return nil
        }
        return number < limit ? number : nil
    }

    /// How many there are.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Whether CPU `number` is one.
    public func contains(_ number: Int) -> Bool {
        (0..<CPUSet.limit).contains(number) && words[number >> 6] >> UInt64(number & 63) & 1 != 0
    }

    /// The lowest number.
    var first: Int? {
        for (index, word) in words.enumerated() where word != 0 { return index * 64 + word.trailingZeroBitCount }
        return nil
    }

    mutating func insert(_ number: Int) { words[number >> 6] |= 1 << UInt64(number & 63) }

    /// The numbers, rising.
    public var numbers: [Int] { (0..<CPUSet.limit).filter(contains) }

    public func isDisjoint(with other: CPUSet) -> Bool { zip(words, other.words).allSatisfy { $0 & $1 == 0 } }
    public func isSubset(of other: CPUSet) -> Bool { zip(words, other.words).allSatisfy { $0 & ~$1 == 0 } }
    public func subtracting(_ other: CPUSet) -> CPUSet { CPUSet(words: zip(words, other.words).map { $0 & ~$1 }) }

    /// The list format, ranges where there are.
    public var description: String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound == number - 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// Where the calling thread may run.
    public static var current: CPUSet {
        var set = CPUSet()
        // SAFETY: the array's own words, for the length of the call.
        let error = unsafe chost_get_affinity(&set.words, CInt(wordCount))
        // A kernel of more CPUs than the limit: as if there were those of the limit only.
        return error == 0 ? set : CPUSet(0..<limit)
    }

    /// Lets the calling thread run on these CPUs alone; the errno where the kernel does not: none of them may be used.
    public func pinCurrentThread() -> Errno? {
        // SAFETY: the array's own words, for the length of the call.
        let error = unsafe chost_set_affinity(words, CInt(CPUSet.wordCount))
        return error == 0 ? nil : Errno(rawValue: error)
    }
}
