// SPDX-License-Identifier: Apache-2.0

import Backends
import Host
import MachineCore
import Synchronization
import Testing

/// A network that notes what it is given, and offers a frame to the guest again when it is told of room.
private final class NotingNetwork: NetworkBackend {
    private let frames = Mutex<[[UInt8]]>([])
    private let resumed = Atomic<Int>(0)

    var sent: [[UInt8]] { frames.withLock { $0 } }
    var resumes: Int { resumed.load(ordering: .relaxed) }
    func send(_ frame: [UInt8]) { frames.withLock { $0.append(frame) } }
    func resume() { resumed.wrappingAdd(1, ordering: .relaxed) }
}

@Suite struct LimitedNetworkTests {
    private let hand = HandTimer()
    private let base = NotingNetwork()
    private let rooms = Notes<Int>()

    private static let tenASecond = RateLimits(operations: .init(perSecond: 10, burst: 2))

    private func network(_ limits: RateLimits) -> LimitedNetwork {
        let network = LimitedNetwork(base, limits: limits, timer: hand.timer)
        network.connectRoom { [rooms] in rooms.add(1) }
        return network
    }

    private func frame(_ number: Int, count: Int = 100) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number)] + [UInt8](repeating: 0, count: count - 1)
    }

    private var numbers: [UInt8] { base.sent.map { $0[0] } }

    @Test("without limits frames go straight through, both ways")
    func unlimited() {
        let network = network(RateLimits())
        for number in 0..<100 { network.send(frame(number)) }
        #expect(base.sent.count == 100)
        #expect(!network.isHolding)
        let deliver = network.limiting { _ in true }
        #expect((0..<100).allSatisfy { deliver(frame($0)) })
    }

    @Test("frames that come too early leave later, in order, and the card hears once that they have")
    func outgoing() {
        let network = network(Self.tenASecond)
        for number in 0..<5 { network.send(frame(number)) }
        #expect(numbers == [0, 1])
        #expect(network.isHolding)
        hand.advance(150 * .millisecond)
        #expect(numbers == [0, 1, 2])
        #expect(network.isHolding)
        #expect(rooms.all == [])
        hand.advance(.second)
        #expect(numbers == [0, 1, 2, 3, 4])
        #expect(!network.isHolding)
        #expect(rooms.all == [1])
        #expect(network.counts.fromGuest.delayed == 3)
        #expect(hand.pending == 0)
    }

    @Test("bytes are limited as frames are", arguments: [100, 1000])
    func bytes(count: Int) {
        let network = network(RateLimits(bytes: .init(perSecond: 10_000, burst: UInt64(count))))
        for number in 0..<200 { network.send(frame(number, count: count)) }
        #expect(base.sent.count == 1)
        hand.advance(.second + .millisecond)
        #expect(base.sent.count == 1 + 10_000 / count)
    }

    @Test("a frame for the guest that comes too early is refused, and asked for when its time has come")
    func incoming() {
        let network = network(Self.tenASecond)
        let taken = Notes<UInt8>()
        let deliver = network.limiting { frame in
            taken.add(frame[0])
            return true
        }
        #expect([0, 1, 2, 2].map { deliver(frame($0)) } == [true, true, false, false])
        #expect(base.resumes == 0)
        #expect(hand.pending == 1)
        hand.advance(101 * .millisecond)
        #expect(base.resumes == 1)
        #expect(deliver(frame(2)))
        #expect(taken.all == [0, 1, 2])
        #expect(network.counts.toGuest.delayed == 1)
        #expect(network.counts.toGuest.delayNanoseconds == 101 * .millisecond)
    }

    @Test("a frame that the card has no room for is not paid for")
    func noRoom() {
        let network = network(Self.tenASecond)
        let refuse = network.limiting { _ in false }
        #expect(!(0..<20).contains { refuse(frame($0)) })
        let deliver = network.limiting { _ in true }
        #expect([0, 1, 2].map { deliver(frame($0)) } == [true, true, false])
    }

    @Test("while the machine is paused no frame leaves; they leave when it goes on")
    func suspension() {
        let network = network(Self.tenASecond)
        for number in 0..<4 { network.send(frame(number)) }
        network.suspend()
        hand.advance(10 * .second)
        #expect(numbers == [0, 1])
        network.proceed()
        #expect(numbers == [0, 1, 2, 3])
        #expect(rooms.all == [1])
    }

    @Test("limits that are taken away let all go, both ways")
    func removal() {
        let network = network(RateLimits(bytes: .init(perSecond: 1, burst: 1)))
        let deliver = network.limiting { _ in true }
        #expect(deliver(frame(0)))
        #expect(!deliver(frame(1)))
        for number in 0..<4 { network.send(frame(number)) }
        network.setLimits(RateLimits())
        #expect(numbers == [0, 1, 2, 3])
        #expect(base.resumes == 1)
        #expect(deliver(frame(1)))
        #expect(!network.isHolding)
    }

    @Test("a network without limits can be given some while it runs")
    func arrival() {
        let network = network(RateLimits())
        for number in 0..<10 { network.send(frame(number)) }
        network.setLimits(Self.tenASecond)
        for number in 10..<20 { network.send(frame(number)) }
        hand.advance(500 * .millisecond)
        #expect(base.sent.count == 15)
    }
}
