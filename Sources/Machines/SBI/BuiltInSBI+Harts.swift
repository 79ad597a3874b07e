// SPDX-License-Identifier: Apache-2.0

import MachineCore
import VMMemory

extension BuiltInSBI {
    // MARK: IPI (RISC-V SBI 2.0 §7)

    func interProcessor(_ call: SBICall) -> SBIOutcome {
        guard call.function == 0 else { return .error(.notSupported) }
        guard let harts = harts(mask: call[0], base: call[1]) else { return .error(.invalidParameter) }
        forEachHart(in: harts, platform.sendSoftwareInterrupt)
        return .success
    }

    // MARK: RFENCE (RISC-V SBI 2.0 §8)

    func remoteFence(_ call: SBICall) -> SBIOutcome {
        let requests: Mailbox.Requests
        switch call.function {
        case 0: requests = .flushInstructions
        // sfence.vma by range, and by range and address space: a full flush is more than asked, never less.
        case 1, 2: requests = .flushTranslations
        // 3 to 6 are for the hypervisor extension, which these harts do not have.
        default: return .error(.notSupported)
        }
        guard let harts = harts(mask: call[0], base: call[1]) else { return .error(.invalidParameter) }
        if call.function != 0, call[3] != .max, call[3] > UInt64.max - call[2] { return .error(.invalidAddress) }
        platform.fence(harts: harts, requests, from: call.hart)
        return .success
    }

    // MARK: Hart state management (RISC-V SBI 2.0 §9)

    func hartState(_ call: SBICall) -> SBIOutcome {
        switch call.function {
        case 0: return startHart(call)
        case 1: return .stops
        case 2:
            guard call[0] < UInt64(platform.hartCount) else { return .error(.invalidParameter) }
            return .returns(.success, platform.hartState(Int(call[0])).rawValue)
        case 3: return suspend(call)
        default: return .error(.notSupported)
        }
    }

    private func startHart(_ call: SBICall) -> SBIOutcome {
        guard call[0] < UInt64(platform.hartCount) else { return .error(.invalidParameter) }
        guard isExecutable(call[1]) else { return .error(.invalidAddress) }
        let entry = SBIEntry(address: call[1], opaque: call[2])
        if platform.startHart(Int(call[0]), at: entry) { return .success }
        return .error(.alreadyAvailable)
    }

    private func suspend(_ call: SBICall) -> SBIOutcome {
        // The suspend type is 32 bits wide: 0 the default retentive, 0x80000000 the default non-retentive; the ranges
        // for platforms are empty here, the rest is reserved.
        switch UInt32(truncatingIfNeeded: call[0]) {
        case 0: return .suspends(nil)
        case 0x8000_0000:
            guard isExecutable(call[1]) else { return .error(.invalidAddress) }
            return .suspends(SBIEntry(address: call[1], opaque: call[2]))
        case 0x1000_0000...0x7FFF_FFFF, 0x9000_0000...0xFFFF_FFFF: return .error(.notSupported)
        default: return .error(.invalidParameter)
        }
    }

    /// A hart can start at `address`: an instruction's alignment, and RAM behind it.
    private func isExecutable(_ address: UInt64) -> Bool {
        address & 1 == 0 && platform.memory.contains(GuestAddress(address), count: 2)
    }
}
