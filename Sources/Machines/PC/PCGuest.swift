// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import VMMemory
import X86_64

/// What an x86-64 machine starts: where everything goes in its RAM, and what is written there at each reset.
struct PCGuest: Sendable {
    private let plan: PCBootPlan

    /// Opens and places the files of `configuration`.
    init(_ configuration: PCConfiguration) throws(MachineError) {
        let model = configuration.model
        let tables = PCTables(
            ACPITables(
                board: PCBoardDescription(
                    processors: configuration.processors, memorySize: configuration.memorySize,
                    hasFirmwareConfiguration: true)),
            SMBIOSTables(
                processors: configuration.processors, memorySize: configuration.memorySize,
                processor: SMBIOSTables.Processor(
                    vendor: "\(model.vendor.identification)", model: model.brand, signature: model.signature,
                    features: 0),
                identity: configuration.identity ?? Randomness.bytes(16), version: "1"))
        plan = try PCBootPlanner.plan(configuration.boot, memorySize: configuration.memorySize, tables: tables)
    }

    /// IA32_MTRR_DEF_TYPE as firmware leaves it on all processors: enabled, and everything write-back (Intel SDM Vol 3A
    /// §12.11.2.1).
    private static var memoryTypes: UInt64 { 1 << 11 | 6 }

    /// Puts the boot plan's pieces and a fresh seed into memory, and the processors to their start. All stand.
    func load(into memory: GuestMemory, _ vcpus: [VCPU<Processor>]) throws(MachineError) {
        do throws(HostError) {
            for piece in plan.pieces { try piece.content.load(into: memory, at: GuestAddress(piece.address)) }
        } catch {
            throw .host(error.description)
        }
        if let seed = plan.randomSeed {
            memory.write(ZeroPage.randomSeed(Randomness.bytes(PCBootPlanner.seedSize)), at: GuestAddress(seed.start))
        }
        for vcpu in vcpus {
            vcpu.forgetWaits()
            vcpu.keepCounts()
            // SAFETY: the vCPU is parked, or its thread has not started.
            unsafe vcpu.processor.reset()
            unsafe vcpu.processor.registers.mtrrDefaultType = Self.memoryTypes
            if vcpu.id == 0 { unsafe plan.entry.enter(vcpu.processor) }
        }
    }
}

extension PCEntryState {
    /// Brings a processor that was just reset into this state.
    func enter(_ processor: Processor) {
        processor.registers.cr0 = cr0
        processor.registers.cr3 = cr3
        processor.registers.cr4 = cr4
        processor.registers.efer = efer
        processor.registers.gdtr = TableRegister(
            base: PCLowMemory.descriptors.base, limit: UInt32(descriptorTable.count - 1))
        for index in X86_64.Segment.allCases {
            let segment = index == .cs ? code : data
            processor.registers.segments[Int(index.rawValue)] = segment.register
        }
        if let task { processor.registers.tr = task.register }
        processor.rip = instructionPointer
        processor.rflags = rflags
        for index in 0..<16 { processor[general: index] = 0 }
        processor[general: 0] = rax
        processor[general: 3] = rbx
        processor[general: 6] = rsi
        processor.stateChanged()
    }
}

extension PCEntryState.Segment {
    fileprivate var register: SegmentRegister {
        SegmentRegister(base: base, limit: limit, rights: AccessRights(rawValue: rights), selector: selector)
    }
}
