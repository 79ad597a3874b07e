// SPDX-License-Identifier: Apache-2.0

@testable import Host
import Testing

@Suite struct CPUSetTests {
    @Test(
        "a list is read and written in its shortest form",
        arguments: [
            ("0", "0"), ("0-3", "0-3"), ("3,1,2", "1-3"), ("0-2,2-4,7", "0-4,7"), ("63-65", "63-65"), ("1023", "1023"),
        ])
    func list(text: String, shortest: String) {
        #expect(CPUSet(list: text)?.description == shortest)
    }

    @Test(
        "what is no list, or names a CPU beyond all, is none",
        arguments: [
            "", ",", "0,", "-", "1-", "-1", "3-1", "a", "0 ", "0-1-2", "1024", "0-99999999999999999999", "0x1", "٣",
        ])
    func noList(text: String) { #expect(CPUSet(list: text) == nil) }

    @Test("sets are compared by their members")
    func algebra() {
        let (low, high) = (CPUSet([0, 1, 70]), CPUSet([70, 900]))
        #expect(!low.isDisjoint(with: high))
        #expect(low.isDisjoint(with: CPUSet([2, 71])))
        #expect(low.subtracting(high) == CPUSet([0, 1]))
        #expect(CPUSet([70]).isSubset(of: low))
        #expect(!high.isSubset(of: low))
        #expect(low.count == 3)
    }

    @Test("a thread goes where it is sent, and nowhere else")
    func pin() throws {
        let home = CPUSet.current
        let target = CPUSet([try #require(home.numbers.last)])
        let seen = Notes<CPUSet>()
        let thread = try HostThread(name: "pinned") {
            _ = target.pinCurrentThread()
            seen.add(CPUSet.current)
        }
        thread.join()
        #expect(seen.all == [target])
        #expect(CPUSet.current == home)
    }

    @Test("no CPU at all is refused by the kernel")
    func pinNowhere() { #expect(CPUSet().pinCurrentThread() == .invalidArgument) }
}

@Suite struct CPUMatchingTests {
    @Test("threads get a CPU each, and no more than there are")
    func plain() {
        var matching = CPUMatching(quota: .max)
        #expect(matching.add(1, on: CPUSet([0, 1])) == 1)
        #expect(matching.add(2, on: CPUSet([0, 1])) == 1)
        #expect(matching.add(1, on: CPUSet([0, 1])) == 0)
    }

    @Test("who has a choice makes room, and who came first keeps a place")
    func augments() {
        var matching = CPUMatching(quota: .max)
        #expect(matching.add(2, on: CPUSet([0, 1, 2])) == 2)
        #expect(matching.add(1, on: CPUSet([0])) == 1)
        #expect(matching.add(1, on: CPUSet([1])) == 0)
        #expect(matching.add(1, on: CPUSet([5])) == 1)
    }

    @Test("a quota is fewer CPUs")
    func quota() {
        var matching = CPUMatching(quota: 1)
        #expect(matching.add(1, on: CPUSet([0])) == 1)
        #expect(matching.add(1, on: CPUSet([1])) == 0)
    }
}
