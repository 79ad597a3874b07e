// SPDX-License-Identifier: Apache-2.0

@testable import ApusKit
@testable import Host
import Testing

@Suite struct HostPoolTests {
    private static let gibibyte: UInt64 = 1 << 30

    /// A pool of 8 GiB, of which `available` GiB could be used now, with guests that were given and hold GiB.
    private static func pool(available: UInt64, _ guests: [(given: UInt64, held: UInt64)]) -> HostPool {
        HostPool(
            memory: HostMemory(total: 8 * gibibyte, available: available * gibibyte), cpus: 2,
            guests: guests.map { guest in
                GuestAllocation(
                    GuestRecord(name: GuestName(rawValue: "g\(guest.given)"), memorySize: guest.given * gibibyte),
                    held: guest.held * gibibyte)
            })
    }

    @Test(
        "free is what is available, less what guests may still take of theirs",
        arguments: [
            (8, [], 8), (7, [(2, 1)], 6), (4, [(2, 2), (2, 2)], 4), (8, [(4, 0), (4, 0)], 0), (1, [(4, 1)], 0),
            // What a process holds besides its guest's memory is not the guest's.
            (4, [(2, 3)], 4),
        ] as [(UInt64, [(UInt64, UInt64)], UInt64)])
    func free(available: UInt64, guests: [(UInt64, UInt64)], free: UInt64) {
        let pool = Self.pool(available: available, guests.map { (given: $0.0, held: $0.1) })
        #expect(pool.freeMemory == free * Self.gibibyte)
    }

    @Test("a guest that fits exactly is let in, and one page more is not")
    func boundary() throws {
        let pool = Self.pool(available: 4, [(2, 1)])
        try pool.admit(memory: 3 * Self.gibibyte, for: "the guest")
        #expect(throws: VirtualMachineError.self) {
            try pool.admit(memory: 3 * Self.gibibyte + 4096, for: "the guest")
        }
    }

    @Test("a refusal has all figures and the remedy")
    func refusal() {
        let error = #expect(throws: VirtualMachineError.self) {
            try Self.pool(available: 4, [(2, 1), (3, 3)]).admit(memory: 4 * Self.gibibyte, for: "the guest")
        }
        #expect(
            error?.description
                == "the guest asks for 4096 MiB of memory, and 3072 MiB of the host's 8192 MiB is free; guests have "
                + "g2 2048 MiB, g3 3072 MiB; ask for less, stop a guest, or add --overcommit")
    }

    @Test("overcommitting lets everything in")
    func overcommit() throws {
        try GuestRegistry.admission(of: .max, for: "the guest", overcommits: true)([])
        #expect(throws: VirtualMachineError.self) {
            try GuestRegistry.admission(of: .max, for: "the guest", overcommits: false)([])
        }
    }

    @Test("in a container the host is what the container may use")
    func container() {
        let text = "MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n"
        #expect(
            HostMemory(meminfo: text, limits: ControlGroupLimits())
                == HostMemory(total: 8 * Self.gibibyte, available: 4 * Self.gibibyte))
        var limits = ControlGroupLimits()
        limits.memory = Self.gibibyte
        limits.availableMemory = Self.gibibyte / 2
        #expect(
            HostMemory(meminfo: text, limits: limits)
                == HostMemory(total: Self.gibibyte, available: Self.gibibyte / 2))
    }
}

@Suite struct ProcessorSettingsTests {
    @Test("a cap is hundredths of one CPU, or none", arguments: ["1%", "25%", "150%", "none"])
    func cap(text: String) throws { #expect(try CPUCap(parsing: text).description == text) }

    @Test(
        "what is no cap is refused with what is",
        arguments: ["", "25", "%", "0%", "-1%", "2.5%", "102401%", "99999999999999999999%", "all"])
    func noCap(text: String) {
        let error = #expect(throws: VirtualMachineError.self) { try CPUCap(parsing: text) }
        #expect(error?.description.contains("write hundredths of one CPU such as 25% or 150%, or none") == true)
    }

    @Test("CPUs are a list, or all", arguments: ["0", "0-3,8", "all"])
    func place(text: String) throws { #expect(try CPUPlace(parsing: text).description == text) }

    @Test("CPUs that the host has not are refused with those it has")
    func missing() throws {
        let place = try CPUPlace(parsing: "1,5-6")
        let error = #expect(throws: VirtualMachineError.self) { try place.validate(allowed: CPUSet([0, 1])) }
        #expect(
            error?.description == "CPU 5-6 is not one of those that this process may use; they are 0-1")
    }

    @Test("shares have the range of a control group's weight", arguments: [0, -1, 10_001, Int.max])
    func shares(number: Int) {
        #expect(throws: VirtualMachineError.self) { try MachineSettings.validate(shares: number) }
    }

    @Test("settings keep what they do not name, and are read from what they write")
    func settings() throws {
        var settings = MachineSettings()
        #expect(settings.isEmpty)
        settings.cpuCap = .percent(25)
        settings.cpuset = .on(CPUSet([0, 1]))
        let text = JSONText.line(settings)
        #expect(text == "{\"cpuCap\":\"25%\",\"cpuset\":\"0-1\"}\n")
        #expect(try JSONText.decode(MachineSettings.self, from: text.utf8, of: "settings") == settings)
        var configuration = VirtualMachineConfiguration(bootLoader: .bare(kernel: "k"))
        configuration.cpuShares = 7
        settings.apply(to: &configuration)
        #expect(configuration.cpuShares == 7)
        #expect(configuration.cpuCap == .percent(25))
    }

    @Test("a control group takes what the kernel would, a governor the rest")
    func control() throws {
        var configuration = VirtualMachineConfiguration(bootLoader: .bare(kernel: "k"))
        configuration.cpuCap = .percent(30)
        let control = try ProcessorControl(configuration)
        #expect(control.mechanism == .dutyCycle)
        #expect(control.reason == "the machine runs within the process that made it")
        #expect(control.governor.limits.cap == 30)
        var settings = MachineSettings()
        settings.cpuShares = 5
        try control.apply(settings)
        #expect(control.current == ProcessorLimits(shares: 5, cap: 30))
        settings.cpuShares = 0
        #expect(throws: VirtualMachineError.self) { try control.apply(settings) }
    }
}
