// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import Synchronization
import VMMemory

/// What the thread that decides over a machine performs.
enum LifeCommand: Sendable {
    case pause, resume, reset, stop
    case guestRequest(MachineRequest)
    case panicFound(String)
    case panicReported
    case debugStop(vcpu: Int, DebugStop)
    /// vCPUs that stay parked while the others run: bit n for vCPU n.
    case keepStanding(UInt64)
    case fail(MachineError)
    /// Someone looks at the processors: all stand from when the command counts as done until `over` is woken.
    case visit(over: WaitGate)
}

/// The life of a machine: its board, its vCPUs' threads, and the one thread that decides.
///
/// All that changes the machine as a whole is a command, performed one after the other on the conductor's thread: what
/// the owner calls, what the guest asks for, what a debugger stop or a console line leads to. So no two of them meet.
final class MachineLife<Board: MachineBoard>: Sendable {
    struct Shared {
        var state = MachineState.ready
        var end: MachineEnd?
        var queue: [(command: LifeCommand, done: WaitGate?)] = []
        var waiters: [WaitGate] = []
        var resets = 0
        var conductor: HostThread?
    }

    /// What the conductor alone knows.
    struct Local {
        /// What the console said of a crash whose report is still being printed.
        var panic: String?
        /// Watchpoints that vCPUs ran into while the machine stood for another stop.
        var laterStops: [(vcpu: Int, stop: DebugStop)] = []
        /// vCPUs that a debugger lets nobody run: bit n for vCPU n.
        var standing: UInt64 = 0
        var threads: [HostThread] = []
    }

    let configuration: any MachineConfiguration
    let board: Board
    let shared = Mutex(Shared())
    /// How often a vCPU found a lock taken that the machine's owner takes too.
    let waits = Atomic<UInt64>(0)
    /// CPU time that the process had used when the first vCPU was let go, in nanoseconds; 0 before.
    let startCPU = Atomic<UInt64>(0)
    let bell: WaitGate
    let parkBell = WaitGate()
    // SAFETY: the conductor's thread alone touches it; before it starts and after it ended, `start` and the end do.
    nonisolated(unsafe) var local = Local()

    /// A life for the board that `make` wires. The board's requests and what its consoles say of a crash go to what
    /// `make` is given.
    init(
        _ configuration: any MachineConfiguration, make: (BoardVoice) throws(MachineError) -> Board
    ) throws(MachineError) {
        self.configuration = configuration
        let link = LifeLink()
        bell = WaitGate()
        board = try make(
            BoardVoice(
                requests: { link.post(.guestRequest($0)) },
                found: { finding in
                    switch finding {
                    case .panic(let text): link.post(.panicFound(text))
                    case .end: link.post(.panicReported)
                    }
                }))
        link.connect(self)
        for vcpu in board.vcpus { vcpu.connect(self) }
    }

    // MARK: Commands

    /// Queues `command`; without effect once the machine is over.
    func post(_ command: LifeCommand) {
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
    func perform(_ command: LifeCommand) -> Bool {
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

/// What a board tells of the machine as a whole, from any thread.
struct BoardVoice: Sendable {
    /// A device was asked for something that only the machine can do.
    let requests: @Sendable (MachineRequest) -> Void
    /// A console's output says something of a crash.
    let found: @Sendable (PanicScanner.Finding) -> Void
}

/// Who takes commands for a machine as a whole.
protocol LifeCommandTaker: AnyObject, Sendable {
    func post(_ command: LifeCommand)
}

extension MachineLife: LifeCommandTaker {}

/// The way from the board's devices to the life, which is made after the board.
@safe
private final class LifeLink: Sendable {
    // SAFETY: written once, before the machine runs.
    private nonisolated(unsafe) weak var target: (any LifeCommandTaker)?

    func connect(_ life: any LifeCommandTaker) {
        // SAFETY: before the machine runs.
        unsafe target = life
    }

    func post(_ command: LifeCommand) { unsafe target?.post(command) }  // SAFETY: see `target`.
}
