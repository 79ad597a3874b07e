// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension BuiltInSBI {
    /// The most bytes one call moves; the specification lets a call move fewer than asked.
    private static var mostBytes: UInt64 { 4096 }

    // MARK: Debug console (RISC-V SBI 2.0 §12)

    func debugConsole(_ call: SBICall) -> SBIOutcome {
        switch call.function {
        case 0:
            guard let range = consoleRange(call) else { return .error(.invalidParameter) }
            guard let bytes = platform.memory.bytes(at: range.address, count: range.count) else {
                return .error(.invalidParameter)
            }
            return .returns(.success, UInt64(platform.writeConsole(bytes)))
        case 1:
            guard let range = consoleRange(call) else { return .error(.invalidParameter) }
            let bytes = platform.readConsole(range.count)
            guard platform.memory.write(bytes, at: range.address) else { return .error(.invalidParameter) }
            return .returns(.success, UInt64(bytes.count))
        case 2:
            // The one call that may wait for the console; a full one takes the byte and drops it instead.
            _ = platform.writeConsole([UInt8(truncatingIfNeeded: call[0])])
            return .success
        default: return .error(.notSupported)
        }
    }

    /// The memory that a call names: all of it RAM, cut to what one call moves.
    private func consoleRange(_ call: SBICall) -> (address: GuestAddress, count: Int)? {
        guard call[2] == 0 else { return nil }
        let address = GuestAddress(call[1])
        guard platform.memory.contains(address, count: call[0]) else { return nil }
        return (address, Int(min(call[0], BuiltInSBI.mostBytes)))
    }

    // MARK: Legacy extensions (RISC-V SBI 2.0 §5)

    func legacy(_ call: SBICall) -> SBIOutcome {
        switch call.extension {
        case 0: return .timer(call[0], legacy: true)
        case 1:
            _ = platform.writeConsole([UInt8(truncatingIfNeeded: call[0])])
            return .legacy(0)
        case 2:
            guard let byte = platform.readConsole(1).first else { return .legacy(.max) }
            return .legacy(UInt64(byte))
        case 3: return .clearsSoftwareInterrupt
        case 4, 5, 6, 7:
            if call[0] != 0 { return .needsLegacyMask(call[0]) }
            return legacy(call, mask: .max)
        case 8: return .machine(.powerOff(code: 0))
        default: return .error(.notSupported)
        }
    }

    /// A legacy call whose hart mask has been read: bits past the last hart name nobody.
    func legacy(_ call: SBICall, mask: UInt64) -> SBIOutcome {
        let all = (UInt64(1) << UInt64(platform.hartCount)) - 1
        switch call.extension {
        case 4: forEachHart(in: mask & all, platform.sendSoftwareInterrupt)
        case 5: platform.fence(harts: mask & all, .flushInstructions, from: call.hart)
        default: platform.fence(harts: mask & all, .flushTranslations, from: call.hart)
        }
        return .legacy(0)
    }
}
