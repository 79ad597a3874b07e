// SPDX-License-Identifier: Apache-2.0

/// Threads put on CPUs, one each, where their sets allow: who finds none could only run in another's place.
///
/// A maximum matching grown by augmenting paths: what was placed stays placed, though it may move to another CPU of its
/// set, so that those who are added first come first.
struct CPUMatching {
    private var sets: [CPUSet] = []
    /// The set whose thread has the CPU.
    private var holders: [Int: Int] = [:]
    private var taken = CPUSet()
    /// CPU time that there is, in CPUs, where that is less than the sets have (a quota).
    private let quota: Int

    init(quota: Int) { self.quota = quota }

    /// How many of `threads` that may run on `cpus` find a CPU.
    mutating func add(_ threads: Int, on cpus: CPUSet) -> Int {
        let set = sets.count
        sets.append(cpus)
        var placed = 0
        while placed < threads, holders.count < quota {
            if let free = cpus.subtracting(taken).first {
                holders[free] = set
                taken.insert(free)
            } else {
                var seen = CPUSet()
                guard place(set, &seen) else { break }
            }
            placed += 1
        }
        return placed
    }

    /// Gives a thread of `set` a CPU, moving others along; false where none can be moved.
    private mutating func place(_ set: Int, _ seen: inout CPUSet) -> Bool {
        for (index, word) in sets[set].words.enumerated() where word & ~seen.words[index] != 0 {
            var rest = word & ~seen.words[index]
            while rest != 0 {
                let bit = rest & (0 &- rest)
                rest &= ~bit
                guard seen.words[index] & bit == 0 else { continue }
                seen.words[index] |= bit
                let cpu = index * 64 + bit.trailingZeroBitCount
                if let holder = holders[cpu] {
                    guard place(holder, &seen) else { continue }
                }
                holders[cpu] = set
                taken.insert(cpu)
                return true
            }
        }
        return false
    }
}
