// SPDX-License-Identifier: Apache-2.0

import Host
import Machines
import Synchronization
import VMMemory

extension InProcessMachine {
    /// Carries out `command`: the one door for the monitor, for a debugger's `monitor` and for a control socket.
    func perform(_ command: MachineCommand) async -> MachineReply {
        do throws(VirtualMachineError) {
            switch command {
            case .pause:
                try await pause()
                return .done("paused")
            case .resume:
                try await resume()
                return .done("running")
            case .reset:
                try await reset()
                return .done("reset")
            case .powerOff:
                await requestStop(.caller, grace: .seconds(10))
                return .done("asked the guest to switch off")
            case .stop(let grace):
                try await stopInOrder(grace: grace)
                return .done("asked the guest to switch off")
            case .set(let settings): return try await apply(settings)
            case .quit:
                stop(.caller)
                return .done("ended")
            case .status, .vcpus, .registers, .statistics, .help:
                return try await onControl { () throws(VirtualMachineError) in try self.look(command) }
            }
        } catch {
            return .failed(error.description)
        }
    }

    /// Asks the guest to switch off, or says at once that there is nobody to ask.
    private func stopInOrder(grace: Int) async throws(VirtualMachineError) {
        guard (0...86_400).contains(grace) else {
            throw VirtualMachineError(.configuration, "\(grace) seconds are no time to wait; give 0 to 86400")
        }
        guard state == .running else {
            throw VirtualMachineError(
                .state, "the machine is \(state.rawValue): its guest cannot be asked to switch off; kill ends it")
        }
        guard let agent, agent.isReady else {
            throw VirtualMachineError(
                .guest, "no agent answers in the guest, so it cannot be asked to switch off; kill ends it")
        }
        await requestStop(.caller, grace: .seconds(grace))
    }

    /// Answers a command that changes nothing. Called on the control queue, or where the machine is paused.
    func look(_ command: MachineCommand) throws(VirtualMachineError) -> MachineReply {
        switch command {
        case .status: .status(status)
        case .vcpus: .vcpus(vcpus)
        case .statistics: .statistics(statistics)
        case .registers(let vcpu): .registers(try registers(of: vcpu))
        default: .help(CommandHelp.all)
        }
    }

    /// What the machine is and where it stands.
    var status: MachineStatus {
        machine.refreshHarts()
        let statistics = deviceStatistics
        return MachineStatus(
            state: state, platform: configuration.platform, engine: engine, cpuCount: configuration.cpuCount,
            memory: MemoryReport(statistics.memory), virtualNanoseconds: statistics.virtualNanoseconds,
            instructions: statistics.retired, resets: statistics.resets)
    }

    /// What each vCPU is doing.
    var vcpus: [VCPUSummary] {
        machine.vcpus.map { vcpu in
            VCPUSummary(
                id: vcpu.id, engine: vcpu.engine, ring: vcpu.ring, programCounter: vcpu.pc,
                activity: vcpu.activity.rawValue, lastExit: vcpu.lastExit.map(\.sentence),
                instructions: vcpu.retired)
        }
    }

    /// The counters of vCPUs and devices.
    var statistics: StatisticsReport {
        machine.refreshHarts()
        return StatisticsReport(deviceStatistics, consoleLost: devices.console?.lost ?? 0)
    }

    /// Looked at on the devices' loop, so that a vCPU that wants a device's lock never finds it with the thread that
    /// serves people. Waits; not on that loop.
    private var deviceStatistics: MachineStatistics {
        guard state == .running || state == .paused else { return machine.lastStatistics }
        let answer = LoopAnswer<MachineStatistics>()
        devices.queue.post { [machine] in answer.give(machine.lastStatistics) }
        return answer.wait { self.devices.isClosed } ?? machine.lastStatistics
    }

    /// Registers are exact only while vCPUs stand, so they are made to for as long as it takes to read.
    private func registers(of vcpu: Int?) throws(VirtualMachineError) -> [VCPURegisters] {
        let all = 0..<configuration.cpuCount
        guard vcpu.map(all.contains) ?? true else {
            throw VirtualMachineError(
                .configuration, "there is no vCPU \(vcpu ?? 0); they count from 0 to \(configuration.cpuCount - 1)")
        }
        guard state == .running || state == .paused else {
            throw VirtualMachineError(.state, "the machine is \(state.rawValue): it has no registers")
        }
        return whilePaused {
            (vcpu.map { $0...$0 } ?? 0...all.upperBound - 1).map { id in
                VCPURegisters(
                    id: id,
                    registers: inspection.shownRegisters.compactMap { register in
                        inspection.register(register.number, vcpu: id).map {
                            .init(name: register.name, value: $0)
                        }
                    })
            }
        }
    }
}

/// An answer on its way from the devices' loop.
final class LoopAnswer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let gate = WaitGate()

    func give(_ answer: Value) {
        value.withLock { $0 = answer }
        gate.wake()
    }

    /// Waits for it; nil where nobody will give it any more.
    func wait(isOver: () -> Bool) -> Value? {
        while !gate.wait(untilMonotonic: MonotonicTime.after(milliseconds: 50)) {
            if isOver() { return value.withLock(\.self) }
        }
        return value.withLock(\.self)
    }
}
