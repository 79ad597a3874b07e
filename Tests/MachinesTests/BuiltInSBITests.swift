// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Synchronization
import Testing
import VMMemory

@testable import Machines

/// A machine of four harts, of which hart 0 runs, that notes what the SBI asks of it.
private final class ScriptedPlatform: SBIPlatform {
    enum Effect: Equatable { case start(Int, SBIEntry), interrupt(Int), fence(UInt64, UInt64), output([UInt8]) }

    let hartCount = 4
    let memory: GuestMemory
    private nonisolated(unsafe) let storage = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 4096)
    let effects = Mutex<[Effect]>([])
    let input = Mutex(Array("hello".utf8))

    init() {
        storage.initializeMemory(as: UInt8.self, repeating: 0x41, count: 8192)
        memory = GuestMemory(regions: [MemoryRegion(base: GuestAddress(0x8000_0000), size: 8192, host: storage)])
    }

    deinit { storage.deallocate() }

    func hartState(_ id: Int) -> SBIHartState { id == 0 ? .started : .stopped }
    func startHart(_ id: Int, at entry: SBIEntry) -> Bool {
        guard id != 0 else { return false }
        effects.withLock { $0.append(.start(id, entry)) }
        return true
    }
    func sendSoftwareInterrupt(to id: Int) { effects.withLock { $0.append(.interrupt(id)) } }
    func fence(harts mask: UInt64, _ requests: Mailbox.Requests, from caller: Int) {
        effects.withLock { $0.append(.fence(mask, requests.rawValue)) }
    }
    func writeConsole(_ bytes: [UInt8]) -> Int {
        effects.withLock { $0.append(.output(bytes)) }
        return bytes.count
    }
    func readConsole(_ count: Int) -> [UInt8] {
        input.withLock { input in
            defer { input.removeFirst(min(count, input.count)) }
            return Array(input.prefix(count))
        }
    }
}

@Suite struct BuiltInSBITests {
    private let platform = ScriptedPlatform()

    private func call(_ number: UInt64, _ function: UInt64 = 0, _ arguments: [UInt64] = []) -> SBIOutcome {
        var values: InlineArray<6, UInt64> = [0, 0, 0, 0, 0, 0]
        for (index, argument) in arguments.enumerated() { values[index] = argument }
        return BuiltInSBI(platform: platform).answer(
            SBICall(hart: 0, extension: number, function: function, arguments: values))
    }

    private var effects: [ScriptedPlatform.Effect] { platform.effects.withLock { $0 } }

    private static let ipi: UInt64 = 0x73_5049
    private static let rfence: UInt64 = 0x5246_4E43
    private static let hsm: UInt64 = 0x48_534D
    private static let srst: UInt64 = 0x5352_5354
    private static let dbcn: UInt64 = 0x4442_434E

    @Test(
        "each call has its outcome",
        arguments: [
            (0x10, 0, [], .returns(.success, 2 << 24)),
            (0x10, 3, [0x5449_4D45], .returns(.success, 1)),
            (0x10, 3, [hsm], .returns(.success, 1)),
            (0x10, 3, [0x504D55], .returns(.success, 0)),
            (0x10, 3, [9], .returns(.success, 0)),
            (0x10, 4, [], .returns(.success, 0)),
            (0x10, 7, [], .returns(.notSupported, 0)),
            (0x504D55, 0, [], .returns(.notSupported, 0)),
            (0x5449_4D45, 0, [1234], .timer(1234, legacy: false)),
            (0x5449_4D45, 1, [], .returns(.notSupported, 0)),
            (ipi, 1, [1, 0], .returns(.notSupported, 0)),
            (ipi, 0, [1, 4], .returns(.invalidParameter, 0)),
            (ipi, 0, [0x10, 0], .returns(.invalidParameter, 0)),
            (ipi, 0, [2, 3], .returns(.invalidParameter, 0)),
            (ipi, 0, [1 << 63, 1], .returns(.invalidParameter, 0)),
            (ipi, 0, [0, 0], .returns(.success, 0)),
            (rfence, 3, [1, 0], .returns(.notSupported, 0)),
            (rfence, 1, [1, 9, 0, 0], .returns(.invalidParameter, 0)),
            (rfence, 1, [1, 0, .max, 4096], .returns(.invalidAddress, 0)),
            (rfence, 1, [1, 0, 0, .max], .returns(.success, 0)),
            (hsm, 0, [4, 0x8000_0000, 0], .returns(.invalidParameter, 0)),
            (hsm, 0, [1, 0x7000_0000, 0], .returns(.invalidAddress, 0)),
            (hsm, 0, [1, 0x8000_0001, 0], .returns(.invalidAddress, 0)),
            (hsm, 0, [1, 0x8000_2000, 0], .returns(.invalidAddress, 0)),
            (hsm, 0, [0, 0x8000_0000, 0], .returns(.alreadyAvailable, 0)),
            (hsm, 1, [], .stops),
            (hsm, 2, [0], .returns(.success, 0)),
            (hsm, 2, [1], .returns(.success, 1)),
            (hsm, 2, [.max], .returns(.invalidParameter, 0)),
            (hsm, 3, [0], .suspends(nil)),
            (hsm, 3, [0x8000_0000, 0x8000_0100, 7], .suspends(SBIEntry(address: 0x8000_0100, opaque: 7))),
            (hsm, 3, [0x8000_0000, 1, 7], .returns(.invalidAddress, 0)),
            (hsm, 3, [1], .returns(.invalidParameter, 0)),
            (hsm, 3, [0x1000_0000], .returns(.notSupported, 0)),
            (hsm, 4, [], .returns(.notSupported, 0)),
            (srst, 0, [0, 0], .machine(.powerOff(code: 0))),
            (srst, 0, [0, 1], .machine(.powerOff(code: 1))),
            (srst, 0, [1, 0], .machine(.reset)),
            (srst, 0, [2, 0], .machine(.reset)),
            (srst, 0, [3, 0], .returns(.invalidParameter, 0)),
            (srst, 0, [0xF000_0000, 0], .returns(.notSupported, 0)),
            (srst, 0, [0, 2], .returns(.invalidParameter, 0)),
            (srst, 1, [], .returns(.notSupported, 0)),
            (dbcn, 0, [4, 0x8000_0000, 0], .returns(.success, 4)),
            (dbcn, 0, [4, 0x8000_0000, 1], .returns(.invalidParameter, 0)),
            (dbcn, 0, [4, 0x8000_1FFD, 0], .returns(.invalidParameter, 0)),
            (dbcn, 0, [.max, 0x8000_0000, 0], .returns(.invalidParameter, 0)),
            (dbcn, 0, [8192, 0x8000_0000, 0], .returns(.success, 4096)),
            (dbcn, 1, [3, 0x8000_0000, 0], .returns(.success, 3)),
            (dbcn, 1, [3, 0x7000_0000, 0], .returns(.invalidParameter, 0)),
            (dbcn, 2, [0x42], .returns(.success, 0)),
            (dbcn, 3, [], .returns(.notSupported, 0)),
            (0, 0, [77], .timer(77, legacy: true)),
            (1, 0, [0x42], .legacy(0)),
            (2, 0, [], .legacy(0x68)),
            (3, 0, [], .clearsSoftwareInterrupt),
            (4, 0, [0x8000_0000], .needsLegacyMask(0x8000_0000)),
            (4, 0, [0], .legacy(0)),
            (8, 0, [], .machine(.powerOff(code: 0))),
        ] as [(UInt64, UInt64, [UInt64], SBIOutcome)])
    func outcome(number: UInt64, function: UInt64, arguments: [UInt64], outcome: SBIOutcome) {
        #expect(call(number, function, arguments) == outcome)
    }

    @Test(
        "a hart mask counts from its base; all ones as base means every hart",
        arguments: [
            (0b11, 1, [1, 2]), (0b1001, 0, [0, 3]), (0, UInt64.max, [0, 1, 2, 3]),
        ] as [(UInt64, UInt64, [Int])])
    func interrupts(mask: UInt64, base: UInt64, harts: [Int]) {
        #expect(call(Self.ipi, 0, [mask, base]) == .success)
        #expect(effects == harts.map { .interrupt($0) })
    }

    @Test(
        "remote fences say what to forget",
        arguments: [
            (0, Mailbox.Requests.flushInstructions), (1, .flushTranslations), (2, .flushTranslations),
        ] as [(UInt64, Mailbox.Requests)])
    func fences(function: UInt64, requests: Mailbox.Requests) {
        #expect(call(Self.rfence, function, [0b110, 0, 0, 4096, 1]) == .success)
        #expect(effects == [.fence(0b110, requests.rawValue)])
    }

    @Test("a hart starts where it is told, with its argument")
    func start() {
        #expect(call(Self.hsm, 0, [2, 0x8000_0100, 99]) == .success)
        #expect(effects == [.start(2, SBIEntry(address: 0x8000_0100, opaque: 99))])
    }

    @Test("a legacy mask names harts that exist, and nobody else")
    func legacyMask() {
        let legacyCall = SBICall(hart: 0, extension: 4, function: 0, arguments: [1, 0, 0, 0, 0, 0])
        #expect(BuiltInSBI(platform: platform).legacy(legacyCall, mask: 0xF0_0000_0008) == .legacy(0))
        #expect(effects == [.interrupt(3)])
    }

    @Test("console input lands in memory, and only what there is")
    func consoleRead() {
        #expect(call(Self.dbcn, 1, [100, 0x8000_0010, 0]) == .returns(.success, 5))
        #expect(platform.memory.bytes(at: GuestAddress(0x8000_0010), count: 6) == Array("hello".utf8) + [0x41])
        #expect(call(Self.dbcn, 1, [100, 0x8000_0010, 0]) == .returns(.success, 0))
        #expect(call(2) == .legacy(.max))
    }
}
