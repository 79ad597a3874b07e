// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension Processor {
    /// RDMSR, WRMSR, the time-stamp counter, CPUID, and the protection keys' register.
    func executeRegisters(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        switch operation {
        case .rdmsr:
            guard state.pointee.privilege == 0, let value = readModelSpecific(state.r32(1)) else {
                return raise(.generalProtection)
            }
            setPair(value)
            return advance(op, .jump)
        case .wrmsr:
            guard state.pointee.privilege == 0, writeModelSpecific(state.r32(1), pair) else {
                return raise(.generalProtection)
            }
            contextChanged()
            return advance(op, .look)
        case .rdtsc, .rdtscp:
            guard state.pointee.cr4 & CR4.tsd == 0 || state.pointee.privilege == 0 else {
                return raise(.generalProtection)
            }
            setPair(timeStamp)
            if operation == .rdtscp { state.setR32(1, UInt32(truncatingIfNeeded: state.pointee.tscAux)) }
            return advance(op, .jump)
        case .rdpid:
            state.setR64(op.b, state.pointee.tscAux)
            return advance(op, .jump)
        // No performance counter is offered: there is no number that can be read.
        case .rdpmc: return raise(.generalProtection)
        case .rdpkru, .wrpkru: return executeKeys(operation, op)
        default:
            let found = identify(state.r32(0), state.r32(1))
            state.setR32(0, found.eax)
            state.setR32(3, found.ebx)
            state.setR32(1, found.ecx)
            state.setR32(2, found.edx)
            return advance(op, .jump)
        }
    }

    /// CPUID as this processor answers it now.
    public func identify(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        var context = CPUIDContext()
        context.apicID = UInt32(truncatingIfNeeded: configuration.id)
        context.processors = UInt32(truncatingIfNeeded: configuration.count)
        context.tscKilohertz = UInt32(truncatingIfNeeded: configuration.tscFrequency / 1000)
        context.xcr0 = state.pointee.xcr0
        context.cr4 = state.pointee.cr4
        context.apicEnabled = (door.readLocalRegister(MSR.apicBase) ?? state.pointee.apicBase) & 1 << 11 != 0
        return configuration.model.cpuid(leaf, subleaf, context)
    }

    private func executeKeys(_ operation: SystemOperation, _ op: MicroOp) -> Outcome {
        guard state.pointee.cr4 & CR4.pke != 0 else { return raise(.invalidOpcode) }
        guard state.r32(1) == 0 else { return raise(.generalProtection) }
        guard operation == .wrpkru else {
            setPair(state.pointee.pkru & 0xffff_ffff)
            return advance(op, .jump)
        }
        guard state.r32(2) == 0 else { return raise(.generalProtection) }
        if state.pointee.pkru != UInt64(state.r32(0)) {
            state.pointee.pkru = UInt64(state.r32(0))
            // What is cached was checked against the old rights.
            tlb.flush()
            contextChanged()
        }
        return advance(op, .jump)
    }

    // MARK: The time-stamp counter (Intel SDM Vol 3B §19.17)

    /// Its count without what software added.
    private var plainTimeStamp: UInt64 {
        TimeStampRate(frequency: configuration.tscFrequency).ticks(at: door.time())
    }

    /// IA32_TIME_STAMP_COUNTER.
    public var timeStamp: UInt64 { plainTimeStamp &+ state.pointee.tscOffset }

    /// Moves the counter, and IA32_TSC_ADJUST with it, by `ticks`.
    func moveTimeStamp(by ticks: UInt64) {
        state.pointee.tscOffset &+= ticks
        state.pointee.tscAdjust &+= ticks
        door.setTimeStampOffset(state.pointee.tscOffset)
    }
}
