// SPDX-License-Identifier: Apache-2.0

import CGuestAtomics
import MachineCore
import VMMemory

/// What an outlined instruction leaves for the interpreter's loop to do.
enum Outcome {
    /// Go on behind the instruction.
    case next
    /// The PC was set, by a trap or a return: fetch there.
    case fetch
    /// As `fetch`, after a look at interrupts and the mailbox.
    case look
    /// Leave with `Hart.leaving`, the PC set.
    case leave
}

extension Hart {
    /// Executes LR, SC or an AMO. All are sequentially consistent, whatever aq and rl say.
    ///
    /// SC compares the memory with what LR read and exchanges in one host operation. A store of the same value in
    /// between goes unnoticed, as on every host without a monitor; code that relies on more is not portable.
    @inline(never)
    func executeAtomic(_ op: MicroOp) -> Outcome {
        let address = state.x(Int(op.b))
        let operand = state.x(op.rs2)
        let kind: AccessKind = op.operation == .lrW || op.operation == .lrD ? .load : .store
        let bytes: UInt64 = op.operation.isDoubleAtomic ? 8 : 4
        // SAFETY: `bytes` aligned bytes of RAM.
        guard let host = unsafe atomicAddress(address, bytes: bytes, kind) else { return .fetch }
        // The width belongs to the reservation: SC of another one than LR's fails.
        let reservation = UInt64(UInt(bitPattern: host)) | bytes >> 3
        let old: UInt64
        switch op.operation {
        case .lrW, .lrD:
            ga_fence()
            old = unsafe bytes == 8 ? ga_load_64(host) : UInt64(ga_load_32(host))
            ga_fence_acquire_release()
            state.pointee.reservedAddress = reservation
            state.pointee.reservedValue = old
        case .scW, .scD:
            let held = state.pointee.reservedAddress == reservation
            let value = state.pointee.reservedValue
            state.pointee.reservedAddress = .max
            let stored =
                if !held {
                    false
                } else if bytes == 8 {
                    unsafe ga_compare_exchange_64(host, value, operand)
                } else {
                    unsafe ga_compare_exchange_32(
                        host, UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: operand))
                }
            state.setX(Int(op.a), stored ? 0 : 1)
            return stored ? finishAtomic(address, bytes, reads: false, writes: true) : .next
        default:
            old =
                bytes == 8
                ? unsafe exchange64(host, operand, op.operation)
                : UInt64(unsafe exchange32(host, UInt32(truncatingIfNeeded: operand), op.operation))
        }
        state.setX(Int(op.a), bytes == 8 ? old : UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: old))))
        return finishAtomic(address, bytes, reads: true, writes: kind == .store)
    }

    private func finishAtomic(_ address: UInt64, _ bytes: UInt64, reads: Bool, writes: Bool) -> Outcome {
        let isWatched =
            writes && watched(address, bytes, .write) == .watched || reads && watched(address, bytes, .read) == .watched
        guard isWatched, let hit = watchHit else { return .next }
        return leave(.debug(hit), after: 4)
    }

    /// Leaves the engine with `exit`, the PC `length` bytes further.
    func leave(_ exit: VMExit, after length: UInt64) -> Outcome {
        state.pointee.pc &+= length
        leaving = exit
        return .leave
    }

    private func exchange64(
        _ host: UnsafeMutableRawPointer, _ operand: UInt64, _ operation: Operation
    ) -> UInt64 {
        // SAFETY: 8 aligned bytes of RAM, proved by the caller.
        switch operation {
        case .amoswapD: return unsafe ga_exchange_64(host, operand)
        case .amoaddD: return unsafe ga_fetch_add_64(host, operand)
        case .amoxorD: return unsafe ga_fetch_xor_64(host, operand)
        case .amoandD: return unsafe ga_fetch_and_64(host, operand)
        case .amoorD: return unsafe ga_fetch_or_64(host, operand)
        default:
            while true {
                let old = unsafe ga_load_64(host)
                let keeps =
                    switch operation {
                    case .amominD: Int64(bitPattern: old) <= Int64(bitPattern: operand)
                    case .amomaxD: Int64(bitPattern: old) >= Int64(bitPattern: operand)
                    case .amominuD: old <= operand
                    default: old >= operand
                    }
                if unsafe ga_compare_exchange_64(host, old, keeps ? old : operand) { return old }
            }
        }
    }

    private func exchange32(
        _ host: UnsafeMutableRawPointer, _ operand: UInt32, _ operation: Operation
    ) -> UInt32 {
        // SAFETY: 4 aligned bytes of RAM, proved by the caller.
        switch operation {
        case .amoswapW: return unsafe ga_exchange_32(host, operand)
        case .amoaddW: return unsafe ga_fetch_add_32(host, operand)
        case .amoxorW: return unsafe ga_fetch_xor_32(host, operand)
        case .amoandW: return unsafe ga_fetch_and_32(host, operand)
        case .amoorW: return unsafe ga_fetch_or_32(host, operand)
        default:
            while true {
                let old = unsafe ga_load_32(host)
                let keeps =
                    switch operation {
                    case .amominW: Int32(bitPattern: old) <= Int32(bitPattern: operand)
                    case .amomaxW: Int32(bitPattern: old) >= Int32(bitPattern: operand)
                    case .amominuW: old <= operand
                    default: old >= operand
                    }
                if unsafe ga_compare_exchange_32(host, old, keeps ? old : operand) { return old }
            }
        }
    }
}

extension Operation {
    /// Whether an atomic is of 8 bytes: the D forms follow their W forms.
    var isDoubleAtomic: Bool { (rawValue &- Operation.lrW.rawValue) & 1 == 1 }
}
