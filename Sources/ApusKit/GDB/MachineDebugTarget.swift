// SPDX-License-Identifier: Apache-2.0

import MachineCore
import Machines
import Synchronization

/// The vCPUs of a machine as a debugger drives them.
final class MachineDebugTarget: DebugTarget {
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

    var registers: DebugRegisterSet { machine.inspection.registers }

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

    func register(_ number: Int, thread: Int) -> UInt64? {
        machine.inspection.register(number, vcpu: thread)
    }

    func setRegister(_ number: Int, to value: UInt64, thread: Int) -> Bool {
        machine.inspection.setRegister(number, to: value, vcpu: thread)
    }

    func readMemory(at address: UInt64, count: Int, thread: Int) -> [UInt8] {
        machine.inspection.readMemory(at: address, count: count, vcpu: thread)
    }

    func writeMemory(_ bytes: [UInt8], at address: UInt64, thread: Int) -> Bool {
        machine.inspection.writeMemory(bytes, at: address, vcpu: thread)
    }

    // MARK: Points

    func insert(_ point: DebugPoint) -> Bool {
        state.withLock { state in
            guard !state.points.contains(point) else { return true }
            let breakpoints = state.points.count { if case .breakpoint = $0 { true } else { false } }
            switch point {
            case .breakpoint: guard breakpoints < MachineDebugTarget.mostBreakpoints else { return false }
            case .watchpoint:
                guard state.points.count - breakpoints < MachineDebugTarget.mostWatchpoints else { return false }
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
        for vcpu in 0..<threadCount { machine.inspection.setPoints(points, vcpu: vcpu) }
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
        return
            "\(machine.configuration.platform.vcpuNoun) \(thread), ring \(vcpus[thread].ring), \(vcpus[thread].activity)"
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
