// SPDX-License-Identifier: Apache-2.0

/// A balloon in the guest's memory (virtio): takes memory from a running guest and gives it back, lets free memory of
/// the guest's return to the host by itself, and tells how the guest uses what it has.
public struct MemoryBalloonDevice: Hashable, Sendable {
    /// How often the guest is asked how it uses its memory, in whole seconds; nil: never.
    public var statisticsInterval: Duration?

    /// A balloon whose guest is asked every `statisticsInterval`.
    public init(statisticsInterval: Duration? = .seconds(5)) { self.statisticsInterval = statisticsInterval }

    /// `SIZE[,max=SIZE]`: what the guest has at its start, and what it can be given at most.
    public static func sizes(parsing text: String) throws(VirtualMachineError) -> (size: UInt64, maximum: UInt64?) {
        var words = OptionWords(text, separator: ",")
        let size = try ByteSize(parsing: words.next() ?? "").bytes
        var maximum: UInt64?
        while let word = words.next() {
            let (key, value) = OptionWords.pair(word)
            guard key == "max", let value, maximum == nil else {
                throw VirtualMachineError(
                    .configuration, "memory '\(text)' cannot be read; write SIZE or SIZE,max=SIZE, such as 512M,max=1G")
            }
            maximum = try ByteSize(parsing: value).bytes
        }
        return (size, maximum)
    }

    /// A number of seconds with a suffix, or `never`.
    static func interval(parsing text: String) throws(VirtualMachineError) -> Duration? {
        text == "never" ? nil : try Duration.parse(text)
    }

    /// What `interval(parsing:)` reads.
    var intervalText: String { statisticsInterval?.text ?? "never" }
}
