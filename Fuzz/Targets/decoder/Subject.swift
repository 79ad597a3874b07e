// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import RISCV64
import Synchronization
import VMMemory

/// A hart with 64 KiB of RAM and nothing else. Whatever traps goes to a `wfi`, which ends the run.
final class Subject {
    private static let codeStart = GuardedMemory.base + 0x2000
    private static let handler = GuardedMemory.base + 0x1000

    let hart: Hart
    private let ram = GuardedMemory(size: 64 << 10)
    private let door = DarkDoor()
    private var code: [UInt8] = []

    init() {
        let memory = ram.fresh()
        hart = Hart(
            Hart.Configuration(id: 0, codeCacheBytes: 4 << 20), memory: memory, door: door, timer: NoTimer())
    }

    /// The reset state with `code` in memory and pointers into RAM in some registers.
    func load(_ code: [UInt8]) {
        self.code = code
        ram.clear()
        // auipc t0, 1; csrw mtvec, t0; auipc t1, 2; addi t1, t1, -8; jr t1 (to codeStart)
        store([0x0000_1297, 0x3052_9073, 0x0000_2317, 0xFF83_0313, 0x0003_0067], at: GuardedMemory.base)
        // wfi; j .
        store([0x1050_0073, 0x0000_006F], at: Self.handler)
        ram.bytes[0x2000..<0x2000 + code.count].withUnsafeMutable(copy: code)
        // What comes after the input: an ecall, which ends it.
        store([0x0000_0073], at: Self.codeStart + UInt64(code.count + 3 & ~3))
        hart.reset(pc: GuardedMemory.base.value, a0: GuardedMemory.base.value + 0x8000, a1: 0x1234_5678_9ABC_DEF0)
        hart[x: 2] = GuardedMemory.base.value + 0xC000
        hart[x: 8] = GuardedMemory.base.value + 0x8100
        hart[x: 9] = 3
        for index in 0..<32 { hart[f: index] = UInt64(index) << 52 | 0x3FF0_0000_0000_0000 }
        door.reset()
    }

    private func store(_ words: [UInt32], at address: GuestAddress) {
        for (index, word) in words.enumerated() { hart.memory.store(word, at: address + UInt64(index * 4)) }
    }

    /// The program wrote over itself: without `fence.i` nobody says which instructions run.
    var hasChangedCode: Bool {
        !ram.bytes[0x2000..<0x2000 + code.count].elementsEqual(code)
            || hart.memory.load(UInt32.self, at: Self.handler) != 0x1050_0073
    }

    /// Single steps until `wfi`; how many, or nil if there are more than `most`.
    func step(atMost most: Int) -> Int? {
        defer { hart.debug.steps = false }
        for count in 1...most {
            hart.debug.steps = true
            if hart.run() == .halt { return count }
        }
        return nil
    }

    /// The interpreter's loop until `wfi`, or until someone stops it; true if it ended by itself.
    func loop() -> Bool {
        while true {
            switch hart.run() {
            case .halt: return true
            case .requested: return false
            default: continue
            }
        }
    }

    /// Ends the run with a finding where the two differ.
    func requireSameState(as other: Subject, after steps: Int) {
        for index in 1..<32 {
            let (mine, theirs) = (hart[x: index], other.hart[x: index])
            require(mine == theirs, "after \(steps) steps x\(index) is \(theirs) by steps and \(mine) in the loop")
            let (float, otherFloat) = (hart[f: index], other.hart[f: index])
            require(float == otherFloat, "after \(steps) steps f\(index) differs: \(otherFloat) and \(float)")
        }
        require(hart.pc == other.hart.pc, "after \(steps) steps the PC differs: \(other.hart.pc) and \(hart.pc)")
        require(hart.privilege == other.hart.privilege, "after \(steps) steps the privilege differs")
        require(ram.holdsSame(as: other.ram), "after \(steps) steps memory differs")
    }
}

extension Hart {
    fileprivate func run() -> VMExit { Interpreter().run(self) }
}

extension Slice where Base == UnsafeMutableRawBufferPointer {
    fileprivate func withUnsafeMutable(copy bytes: [UInt8]) {
        UnsafeMutableRawBufferPointer(rebasing: self).copyBytes(from: bytes)
    }
}

/// Nothing answers on the bus; time goes on by a tick each time it is asked for, the same for both harts.
final class DarkDoor: InputDoor {
    private let asked = Atomic<UInt64>(0)

    func reset() { asked.store(0, ordering: .relaxed) }
    func busRead(at address: GuestAddress, width: AccessWidth) -> UInt64? { nil }
    func busWrite(_ value: UInt64, at address: GuestAddress, width: AccessWidth) -> Bool { false }
    func time() -> UInt64 { asked.wrappingAdd(100, ordering: .relaxed).newValue }
    func random() -> UInt64 { 0 }
    func interrupts(_ mailbox: Mailbox) -> UInt64 { 0 }
}

/// No timer ever fires.
final class NoTimer: HartTimer {
    func arm(hart: Int, deadline: UInt64?) {}
}
