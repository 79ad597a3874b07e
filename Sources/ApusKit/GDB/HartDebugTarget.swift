// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Machines
import RISCV64
import Synchronization

/// The harts of a machine as a debugger drives them.
final class HartDebugTarget: DebugTarget {
    /// Bounds on what a debugger may set; each breakpoint costs a lookup where code is decoded.
    private static let mostBreakpoints = 4096
    private static let mostWatchpoints = 64

    private struct State {
        var points: Set<DebugPoint> = []
        /// The harts do not know `points` yet.
        var isChanged = false
        var reporter: (@Sendable (DebugEvent) -> Void)?
        /// The harts that stand though the machine runs.
        var standing: Set<Int> = []
    }

    // The machine owns the server, which owns this.
    private unowned let machine: InProcessMachine
    private let state = Mutex(State())

    let registers = DebugRegisterSet.riscv64

    init(_ machine: InProcessMachine) { self.machine = machine }

    /// Sets who hears of stops that happen here.
    func setReporter(_ reporter: @escaping @Sendable (DebugEvent) -> Void) {
        state.withLock { $0.reporter = reporter }
    }

    var threadCount: Int { machine.configuration.cpuCount }
    var pausesOnPanic: Bool { machine.configuration.onPanic == .pause }

    /// A debugger has come: the machine stands.
    func attach() { machine.hold(.debugger) }

    // MARK: Registers and memory

    func register(_ number: Int, thread: Int) -> UInt64? { machine.debugRegister(number, hart: thread) }

    func setRegister(_ number: Int, to value: UInt64, thread: Int) -> Bool {
        machine.setDebugRegister(number, to: value, hart: thread)
    }

    func readMemory(at address: UInt64, count: Int, thread: Int) -> [UInt8] {
        machine.machine.withHart(thread) { $0.debugRead(virtual: address, count: count) ?? [] }
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, thread: Int) -> Bool {
        machine.machine.withHart(thread) { $0.debugWrite(virtual: address, bytes: bytes) }
    }

    // MARK: Points

    func insert(_ point: DebugPoint) -> Bool {
        state.withLock { state in
            guard !state.points.contains(point) else { return true }
            let breakpoints = state.points.count { if case .breakpoint = $0 { true } else { false } }
            switch point {
            case .breakpoint: guard breakpoints < HartDebugTarget.mostBreakpoints else { return false }
            case .watchpoint:
                guard state.points.count - breakpoints < HartDebugTarget.mostWatchpoints else { return false }
            }
            state.points.insert(point)
            state.isChanged = true
            return true
        }
    }

    func remove(_ point: DebugPoint) {
        state.withLock { if $0.points.remove(point) != nil { $0.isChanged = true } }
    }

    func removeAllPoints() {
        state.withLock { state in
            state.isChanged = state.isChanged || !state.points.isEmpty
            state.points = []
        }
    }

    /// A debugger takes its points away at each stop and sets them again before it goes on, so the harts are told once,
    /// when they run.
    private func tellHarts() {
        let points = state.withLock { state -> Set<DebugPoint>? in
            defer { state.isChanged = false }
            return state.isChanged ? state.points : nil
        }
        guard let points else { return }
        var debug = HartDebug()
        for point in points {
            switch point {
            case .breakpoint(let address): debug.breakpoints.insert(address)
            case .watchpoint(let address, let count, let kind):
                debug.watchpoints.insert(.init(address: address, count: count, kind: kind))
            }
        }
        for hart in 0..<threadCount { machine.machine.withHart(hart) { $0.debug = debug } }
    }

    // MARK: Running

    /// A step is of one hart while the others stand, so that it ends where the debugger expects it; without a step
    /// those run that the debugger names (`set scheduler-locking on`: one).
    func resume(_ actions: [DebugAction]) {
        tellHarts()
        guard let stepping = actions.firstIndex(of: .step) else {
            keepStanding(Set(actions.indices.filter { actions[$0] == .stay }))
            machine.release(.debugger)
            return
        }
        let stop = machine.machine.step(hart: stepping) ?? .step
        state.withLock(\.reporter)?(.stopped(thread: stepping, stop))
    }

    private func keepStanding(_ harts: Set<Int>) {
        let isChanged = state.withLock { state in
            defer { state.standing = harts }
            return state.standing != harts
        }
        if isChanged { machine.machine.keepStanding(harts) }
    }

    func interrupt() {
        machine.hold(.debugger)
        let (standing, reporter) = state.withLock { ($0.standing, $0.reporter) }
        reporter?(.interrupted(thread: (0..<threadCount).first { !standing.contains($0) } ?? 0))
    }

    func describe(thread: Int) -> String {
        let vcpus = machine.vcpus
        guard vcpus.indices.contains(thread) else { return "" }
        return "hart \(thread), ring \(vcpus[thread].ring), \(vcpus[thread].activity)"
    }

    func monitor(_ line: String) -> String {
        do throws(VirtualMachineError) {
            let command = try MachineCommand(parsing: line)
            switch command {
            case .reset:
                machine.machine.reset()
                return MachineReply.done("reset").text
            case .quit:
                machine.stop(.debugger)
                return MachineReply.done("ended").text
            case .pause, .resume, .powerOff, .stop, .set:
                return "the debugger holds the machine; use its own commands\n"
            case .status, .vcpus, .registers, .statistics, .help: return try machine.look(command).text
            }
        } catch {
            return MachineReply.failed(error.description).text
        }
    }

    func kill() {
        tellHarts()
        keepStanding([])
        machine.stop(.debugger)
    }

    func detach() {
        tellHarts()
        keepStanding([])
        machine.release(.debugger)
    }
}
