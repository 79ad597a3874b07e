// SPDX-License-Identifier: Apache-2.0

import Machines
import VMMemory

extension VirtualMachine {
    /// Carries out `command`: the one door for the monitor, for a debugger's `monitor` and for a control socket.
    public func perform(_ command: MachineCommand) async -> MachineReply {
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
                await requestStop()
                return .done("asked the guest to switch off")
            case .quit:
                stop()
                return .done("ended")
            case .status, .vcpus, .registers, .statistics, .help:
                return try await onControl { () throws(VirtualMachineError) in try self.look(command) }
            }
        } catch {
            return .failed(error.description)
        }
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
    public var status: MachineStatus {
        let statistics = machine.statistics
        return MachineStatus(
            state: state, platform: configuration.platform, engine: engine, cpuCount: configuration.cpuCount,
            memorySize: configuration.memorySize, virtualNanoseconds: statistics.virtualNanoseconds,
            instructions: statistics.retired, resets: statistics.resets)
    }

    /// What each vCPU is doing.
    public var vcpus: [VCPUSummary] {
        machine.vcpus.map { vcpu in
            VCPUSummary(
                id: vcpu.id, engine: vcpu.engine, ring: vcpu.ring, programCounter: vcpu.pc,
                activity: vcpu.activity.rawValue, lastExit: vcpu.lastExit.map(\.sentence),
                instructions: vcpu.retired)
        }
    }

    /// The counters of vCPUs and devices.
    public var statistics: StatisticsReport { StatisticsReport(machine.statistics) }

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
                    registers: monitorRegisters.compactMap { register in
                        debugRegister(register.number, hart: id).map {
                            .init(name: register.name, value: $0)
                        }
                    })
            }
        }
    }
}
