// SPDX-License-Identifier: Apache-2.0

import Host
import Synchronization
import Testing

@testable import Machines

@Suite("LatestValue", .timeLimit(.minutes(5)))
struct LatestValueTests {
    @Test("what was set last is read")
    func last() {
        let latest = LatestValue(0)
        #expect(latest.value == 0)
        latest.set(1)
        latest.set(2)
        latest.set(3)
        #expect(latest.value == 3)
    }

    @Test("who sets does not wait for a reader that stays, which goes on with what it found")
    func stayingReader() {
        let latest = LatestValue(1)
        // On the reader's own thread: a wait would never end.
        let found = latest.read { found in
            latest.set(2)
            latest.set(3)
            return found
        }
        #expect(found == 1)
        #expect(latest.value == 3)
    }

    @Test("readers find whole values, each no older than the one before")
    func order() async {
        let latest = LatestValue([0, 0])
        async let readings = HostThread.run("reader") { (0..<20_000).map { _ in latest.value } }
        for number in 1...20_000 { latest.set([number, number]) }
        let found = await readings
        #expect(found.allSatisfy { $0[0] == $0[1] })
        #expect(zip(found, found.dropFirst()).allSatisfy { $0[0] <= $1[0] })
        #expect(latest.value == [20_000, 20_000])
    }
}
