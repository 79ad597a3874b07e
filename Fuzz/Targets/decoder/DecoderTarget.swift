// SPDX-License-Identifier: Apache-2.0

import FuzzSupport
import MachineCore
import RISCV64
import VMMemory

/// Instructions of the input on two harts: one a step at a time, which decodes each instruction by itself, the other in
/// the interpreter's loop over decoded pages. Both must end in the same state.
final class Comparison {
    /// What an input may execute before it is given up.
    private static let mostSteps = 512

    private let stepping = Subject()
    private let looping = Subject()
    private let watchdog = Watchdog()

    func run(_ code: [UInt8]) {
        stepping.load(code)
        looping.load(code)
        let steps = stepping.step(atMost: Self.mostSteps)
        // A program that did not end step by step may never end; the loop is left after a while, with nothing to compare.
        let ended = watchdog.watch(looping.hart.mailbox) { looping.loop() }
        guard let steps, ended, !stepping.hasChangedCode, !looping.hasChangedCode else { return }
        looping.requireSameState(as: stepping, after: steps)
    }
}

/// Kept for all inputs: a hart's tables are large.
nonisolated(unsafe) private let comparison = Comparison()

/// The harness for libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let code = Array(UnsafeBufferPointer(start: start, count: min(count, 4096)))
    checkRows(code)
    comparison.run(code)
    return 0
}

/// A row that is found fits the bits it was found for.
private func checkRows(_ code: [UInt8]) {
    var input = code.withUnsafeBufferPointer { FuzzInput($0.baseAddress, $0.count) }
    while !input.isEmpty {
        let bits = input.integer(UInt32.self)
        if let row = InstructionSet.row(of: bits) {
            require(bits & row.mask == row.match, "0x\(String(bits, radix: 16)) is taken for \(row.name)")
            plantedBug(row.name.description.hasPrefix("amomin"))
        }
    }
}
