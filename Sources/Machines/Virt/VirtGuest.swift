// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64
import VMMemory

/// What a `virt` machine starts: where everything goes in its RAM, and what is written there at each reset.
struct VirtGuest: Sendable {
    let plan: BootPlan
    private let tree: VirtDeviceTree
    private let commandLine: String

    /// Opens and places the files of `configuration`.
    init(_ configuration: VirtConfiguration) throws(MachineError) {
        var showsMachineMode = true
        if case .builtIn = configuration.boot.firmware { showsMachineMode = false }
        tree = VirtDeviceTree(
            board: VirtDeviceTree.Board(
                harts: configuration.harts, memorySize: configuration.memorySize,
                hasPCI: configuration.transport == .pci, showsMachineMode: showsMachineMode))
        commandLine = configuration.boot.commandLine
        // An initrd's place takes the same room wherever it is, so any stands for it here.
        let size = tree.flattened(
            VirtDeviceTree.Boot(
                commandLine: commandLine, initrd: BootPlan.Span(start: 0, size: 1),
                randomSeed: [UInt8](repeating: 0, count: 32), layoutSeed: [UInt8](repeating: 0, count: 8)
            )
        ).count
        plan = try BootPlanner.plan(
            configuration.boot, memorySize: configuration.memorySize, devicetreeSize: UInt64(size))
    }

    /// Puts the boot plan's pieces and a fresh devicetree into memory, and the harts to their start. All stand.
    func load(into memory: GuestMemory, _ vcpus: [VCPU<Hart>]) throws(MachineError) {
        do throws(HostError) {
            for piece in plan.pieces { try piece.content.load(into: memory, at: GuestAddress(piece.address)) }
        } catch {
            throw .host(error.description)
        }
        let blob = tree.flattened(
            VirtDeviceTree.Boot(
                commandLine: commandLine, initrd: plan.initrd, randomSeed: Randomness.bytes(32),
                layoutSeed: Randomness.bytes(8)))
        precondition(UInt64(blob.count) <= plan.devicetree.size, "the devicetree's size was planned for")
        memory.write(blob, at: GuestAddress(plan.devicetree.start))
        for vcpu in vcpus { boot(vcpu) }
    }

    private func boot(_ vcpu: VCPU<Hart>) {
        vcpu.forgetWaits()
        // An edge that nobody took is forgotten with everything else.
        vcpu.mailbox.setLine(HartPin.supervisorSoftware, level: false)
        let start = plan.devicetree.start
        vcpu.firmware.reset(isStarted: !plan.startsBootHartAlone || vcpu.id == 0)
        if plan.startsBootHartAlone {
            vcpu.enterSupervisor(at: SBIEntry(address: plan.entry, opaque: start))
        } else {
            vcpu.resetHart(pc: plan.entry, privilege: plan.privilege, a0: UInt64(vcpu.id), a1: start)
            // SAFETY: the vCPU is parked, or its thread has not started. fw_dynamic finds its information at a2.
            if let information = plan.firmwareInformation { unsafe vcpu.processor[x: 12] = information.start }
        }
    }
}
