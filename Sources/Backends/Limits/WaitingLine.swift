// SPDX-License-Identifier: Apache-2.0

/// Requests in the order of their coming, some of which have to wait for a limit.
struct WaitingLine<Element: Sendable>: Sendable {
    private struct Entry: Sendable {
        let element: Element
        let bytes: UInt64
        let since: UInt64
        /// Whether it was found too early once: only then has it waited.
        var hasWaited = false
    }

    private var entries: [Entry] = []
    /// How many of `entries`, from the front, are gone.
    private var gone = 0
    private(set) var limiter: RateLimiter
    private(set) var counts = LimitCounts()
    private(set) var isLimited: Bool
    /// The time of the call that was asked for, if one is on its way.
    private var calledAt: UInt64?

    init(_ limits: RateLimits) {
        limiter = RateLimiter(limits)
        isLimited = !limits.isNone
    }

    var isEmpty: Bool { gone == entries.count }

    /// Puts `element`, which moves `bytes`, at the end.
    mutating func append(_ element: Element, bytes: UInt64, at now: UInt64) {
        entries.append(Entry(element: element, bytes: bytes, since: now))
    }

    /// Those that may go at `now`; they have paid.
    mutating func takeReady(at now: UInt64) -> [Element] {
        var ready: [Element] = []
        while !isEmpty {
            guard limiter.readyAt(bytes: entries[gone].bytes) <= now else {
                for index in gone..<entries.count { entries[index].hasWaited = true }
                break
            }
            let entry = entries[gone]
            gone += 1
            limiter.pay(bytes: entry.bytes, at: now)
            if entry.hasWaited {
                counts.delayed &+= 1
                counts.delayNanoseconds &+= now &- entry.since
            }
            ready.append(entry.element)
        }
        compact()
        return ready
    }

    /// Takes out, unpaid, those that `isUnwanted` says; in their order.
    mutating func remove(where isUnwanted: (Element) -> Bool) -> [Element] {
        let all = entries[gone...]
        let removed = all.filter { isUnwanted($0.element) }.map(\.element)
        if !removed.isEmpty {
            entries = all.filter { !isUnwanted($0.element) }
            gone = 0
        }
        return removed
    }

    /// Other limits from `now` on, without what was saved or owed before.
    mutating func change(to limits: RateLimits, at now: UInt64) {
        limiter = RateLimiter(limits, emptyAt: now)
        isLimited = !limits.isNone
    }

    /// When to call again, if someone waits and no call is on its way that comes early enough.
    mutating func nextCall() -> UInt64? {
        guard !isEmpty else { return nil }
        let moment = limiter.readyAt(bytes: entries[gone].bytes)
        if let calledAt, calledAt <= moment { return nil }
        calledAt = moment
        return moment
    }

    /// The call for `moment` has come.
    mutating func called(for moment: UInt64) { if calledAt == moment { calledAt = nil } }

    private mutating func compact() {
        // Half of the array is done with: moving the rest costs no more than was taken.
        guard gone * 2 >= entries.count else { return }
        entries.removeFirst(gone)
        gone = 0
    }
}
