// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import RISCV64
import Synchronization
import VMMemory

/// The life of a `virt` machine: its board, its vCPUs' threads, and the one thread that decides.
///
/// All that changes the machine as a whole is a command, performed one after the other on the conductor's thread: what
/// the owner calls, what the guest asks for, what a debugger stop or a console line leads to. So no two of them meet.
final class VirtCore: Sendable {
    /// What the conductor performs.
    enum Command: Sendable {
        case pause, resume, reset, stop
        case guestRequest(MachineRequest)
        case panicFound(String)
        case panicReported
        case debugStop(hart: Int, DebugStop)
        /// Harts that stay parked while the others run: bit n for hart n.
        case keepStanding(UInt64)
        case fail(MachineError)
        /// Someone looks at the harts: all stand from when the command counts as done until `over` is woken.
        case visit(over: WaitGate)
    }

    struct Shared {
        var state = MachineState.ready
        var end: MachineEnd?
        var queue: [(command: Command, done: WaitGate?)] = []
        var waiters: [WaitGate] = []
        var resets = 0
        var conductor: HostThread?
    }

    /// What the conductor alone knows.
    struct Local {
        /// What the console said of a crash whose report is still being printed.
        var panic: String?
        /// Watchpoints that harts ran into while the machine stood for another stop.
        var laterStops: [(hart: Int, stop: DebugStop)] = []
        /// Harts that a debugger lets nobody run: bit n for hart n.
        var standing: UInt64 = 0
        var threads: [HostThread] = []
    }

    let configuration: VirtConfiguration
    let board: VirtBoard
    let plan: BootPlan
    let tree: VirtDeviceTree
    let hostInterface: HostInterface?
    let shared = Mutex(Shared())
    /// How often a vCPU found a lock taken that the machine's owner takes too.
    let waits = Atomic<UInt64>(0)
    /// CPU time that the process had used when the first hart was let go, in nanoseconds; 0 before.
    let startCPU = Atomic<UInt64>(0)
    let bell: WaitGate
    let parkBell = WaitGate()
    // SAFETY: the conductor's thread alone touches it; before it starts and after it ended, `start` and the end do.
    nonisolated(unsafe) var local = Local()

    /// Opens and checks everything.
    init(_ configuration: VirtConfiguration) throws(MachineError) {
        try configuration.check()
        self.configuration = configuration
        var showsMachineMode = true
        if case .builtIn = configuration.boot.firmware { showsMachineMode = false }
        tree = VirtDeviceTree(
            board: VirtDeviceTree.Board(
                harts: configuration.harts, memorySize: configuration.memorySize,
                hasPCI: configuration.transport == .pci, showsMachineMode: showsMachineMode))
        // An initrd's place takes the same room wherever it is, so any stands for it here.
        let size = tree.flattened(
            VirtDeviceTree.Boot(
                commandLine: configuration.boot.commandLine, initrd: BootPlan.Span(start: 0, size: 1),
                randomSeed: [UInt8](repeating: 0, count: 32), layoutSeed: [UInt8](repeating: 0, count: 8)
            )
        ).count
        plan = try BootPlanner.plan(
            configuration.boot, memorySize: configuration.memorySize, devicetreeSize: UInt64(size))
        let link = CoreLink()
        bell = WaitGate()
        let board = try VirtBoard(
            configuration, requests: { link.core?.post(.guestRequest($0)) },
            found: { finding in
                switch finding {
                case .panic(let text): link.core?.post(.panicFound(text))
                case .end: link.core?.post(.panicReported)
                }
            })
        self.board = board
        hostInterface = plan.hostInterface.map { HostInterface($0, memory: board.memory) }
        link.connect(self)
        for vcpu in board.vcpus { vcpu.connect(self) }
    }

    // MARK: Commands

    /// Queues `command`; without effect once the machine is over.
    func post(_ command: Command) {
        func queue(_ shared: inout Shared) -> Bool {
            guard shared.state != .ended else { return false }
            shared.queue.append((command, nil))
            return true
        }
        let isAlive: Bool
        if let result = shared.withLockIfAvailable({ queue(&$0) }) {
            isAlive = result
        } else {
            waits.wrappingAdd(1, ordering: .relaxed)
            isAlive = shared.withLock { queue(&$0) }
        }
        if isAlive { bell.wake() }
    }

    /// Queues `command` and waits until it is done; false where no conductor runs.
    @discardableResult
    func perform(_ command: Command) -> Bool {
        let done = WaitGate()
        let isAlive = shared.withLock { shared in
            guard shared.state == .running || shared.state == .paused else { return false }
            shared.queue.append((command, done))
            return true
        }
        guard isAlive else { return false }
        bell.wake()
        done.wait()
        return true
    }

    var state: MachineState { shared.withLock { $0.state } }

    /// Waits for the end.
    func waitForEnd() -> MachineEnd {
        let gate = WaitGate()
        while true {
            let end = shared.withLock { shared in
                if shared.end == nil { shared.waiters.append(gate) }
                return shared.end
            }
            guard let end else {
                gate.wait()
                continue
            }
            // The first to come waits for the conductor's last breath.
            shared.withLock { shared in
                defer { shared.conductor = nil }
                return shared.conductor
            }?.join()
            return end
        }
    }
}

/// The way from the board's devices to the core, which is made after the board.
@safe
private final class CoreLink: Sendable {
    // SAFETY: written once, before the machine runs.
    private nonisolated(unsafe) weak var target: VirtCore?

    func connect(_ core: VirtCore) {
        // SAFETY: before the machine runs.
        unsafe target = core
    }

    var core: VirtCore? { unsafe target }  // SAFETY: see `target`.
}

extension VirtConfiguration {
    /// What can be said without opening anything.
    func check() throws(MachineError) {
        guard Self.hartRange.contains(harts) else {
            throw .configuration("a virt machine has 1 to 16 CPUs, not \(harts)")
        }
        guard Self.memoryRange.contains(memorySize) else {
            throw .configuration(
                "\(memorySize >> 20) MiB of memory is outside of what a virt machine takes: 16 MiB to 512 GiB")
        }
        guard memorySize & GuestPage.offsetMask == 0 else {
            throw .configuration(
                "\(memorySize) bytes of memory is no whole number of pages: choose a multiple of 4 KiB")
        }
        if let balloon {
            guard balloon.size & GuestPage.offsetMask == 0,
                balloon.size <= memorySize - Self.memoryRange.lowerBound
            else {
                throw .configuration(
                    "a balloon of \(balloon.size) bytes leaves the guest less than 16 MiB of its "
                        + "\(memorySize >> 20) MiB, or is no whole number of 4 KiB pages")
            }
        }
        let devices =
            disks.count + networks.count + (consolePorts.isEmpty ? 0 : 1) + (hasEntropy ? 1 : 0)
            + (balloon == nil ? 0 : 1)
        let most = transport == .mmio ? VirtMemoryMap.virtioSlots : VirtPCIDevice.virtioDevices
        guard devices <= most else {
            throw .configuration(
                "\(devices) virtio devices do not fit: there are \(most) places on \(transport.rawValue)")
        }
        guard boot.commandLine.utf8.count < 2048 else {
            throw .configuration("the kernel's command line has \(boot.commandLine.utf8.count) bytes, more than 2047")
        }
    }
}
