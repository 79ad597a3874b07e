// SPDX-License-Identifier: Apache-2.0

import MachineCore

/// The machine's own SBI 2.0: what a kernel in S-mode calls when no firmware runs below it.
///
/// It keeps no state of its own: harts, console and memory are the platform's. One call is one value in, one value out;
/// the vCPU's thread applies the outcome to its hart.
struct BuiltInSBI {
    let platform: any SBIPlatform

    /// Extension numbers (RISC-V SBI 2.0 §4 to §12).
    enum Extension {
        static var base: UInt64 { 0x10 }
        static var timer: UInt64 { 0x5449_4D45 }
        static var interProcessor: UInt64 { 0x73_5049 }
        static var remoteFence: UInt64 { 0x5246_4E43 }
        static var hartState: UInt64 { 0x48_534D }
        static var systemReset: UInt64 { 0x5352_5354 }
        static var debugConsole: UInt64 { 0x4442_434E }
        static var legacy: ClosedRange<UInt64> { 0...8 }
    }

    /// Answers `call`.
    func answer(_ call: SBICall) -> SBIOutcome {
        switch call.extension {
        case Extension.base: base(call)
        case Extension.timer: call.function == 0 ? .timer(call[0], legacy: false) : .error(.notSupported)
        case Extension.interProcessor: interProcessor(call)
        case Extension.remoteFence: remoteFence(call)
        case Extension.hartState: hartState(call)
        case Extension.systemReset: systemReset(call)
        case Extension.debugConsole: debugConsole(call)
        case Extension.legacy: legacy(call)
        default: .error(.notSupported)
        }
    }

    /// Whether calls to extension `number` are answered.
    func offers(_ number: UInt64) -> Bool {
        switch number {
        case Extension.base, Extension.timer, Extension.interProcessor, Extension.remoteFence, Extension.hartState,
            Extension.systemReset, Extension.debugConsole, Extension.legacy:
            true
        default: false
        }
    }

    // MARK: Base extension (RISC-V SBI 2.0 §4)

    /// Version 2.0.
    private static var specificationVersion: UInt64 { 2 << 24 }
    /// "Apus" in ASCII: no number is registered for this implementation, and none that is registered has this value.
    private static var implementation: UInt64 { 0x4170_7573 }
    private static var implementationVersion: UInt64 { 1 }

    private func base(_ call: SBICall) -> SBIOutcome {
        switch call.function {
        case 0: .returns(.success, BuiltInSBI.specificationVersion)
        case 1: .returns(.success, BuiltInSBI.implementation)
        case 2: .returns(.success, BuiltInSBI.implementationVersion)
        case 3: .returns(.success, offers(call[0]) ? 1 : 0)
        // mvendorid, marchid and mimpid are zero: not implemented, or not a commercial design.
        case 4, 5, 6: .returns(.success, 0)
        default: .error(.notSupported)
        }
    }

    // MARK: System reset (RISC-V SBI 2.0 §10)

    private func systemReset(_ call: SBICall) -> SBIOutcome {
        guard call.function == 0 else { return .error(.notSupported) }
        // Both arguments are 32 bits wide. Reasons: 0 none, 1 system failure, the vendors' ranges after.
        let type = UInt32(truncatingIfNeeded: call[0])
        let reason = UInt32(truncatingIfNeeded: call[1])
        guard reason <= 1 || reason >= 0xE000_0000 else { return .error(.invalidParameter) }
        switch type {
        case 0: return .machine(.powerOff(code: reason == 0 ? 0 : 1))
        case 1, 2: return .machine(.reset)
        case 0xF000_0000...: return .error(.notSupported)
        default: return .error(.invalidParameter)
        }
    }

    // MARK: Hart masks (RISC-V SBI 2.0 §3.1)

    /// The harts that a mask and its base name, as bits from hart 0; nil where it names a hart that does not exist.
    func harts(mask: UInt64, base: UInt64) -> UInt64? {
        let all = (UInt64(1) << UInt64(platform.hartCount)) - 1
        if base == .max { return all }
        guard base < UInt64(platform.hartCount) else { return nil }
        guard (mask << base) >> base == mask else { return nil }
        let named = mask << base
        return named & ~all == 0 ? named : nil
    }

    /// Calls `body` with each hart of `mask`.
    func forEachHart(in mask: UInt64, _ body: (Int) -> Void) {
        for id in 0..<platform.hartCount where mask >> UInt64(id) & 1 != 0 { body(id) }
    }
}
