// SPDX-License-Identifier: Apache-2.0

import ApusKit
import Foundation
import Testing

/// A real gdb against a small program with symbols, on the bare machine.
@Suite(
    "A real debugger", .timeLimit(.minutes(10)),
    .enabled(
        if: CrossTools.areThere,
        "gdb-multiarch or riscv64-linux-gnu-gcc is missing: install gdb-multiarch and gcc-riscv64-linux-gnu"))
struct RealDebuggerTests {
    private static let source = """
        volatile long watched;
        long total;
        double ratio = 0.5;
        __attribute__((noinline)) long leaf(long n) { total += n; ratio *= 2; return total * 2; }
        __attribute__((noinline)) long middle(long n) { return leaf(n) + 1; }
        volatile long other;
        __attribute__((noinline)) void spun(void) { other++; }
        void spin(void) { for (;;) spun(); }
        void finish(void) { *(volatile unsigned *)0x100000 = 0x5555; for (;;); }
        void begin(void) {
            for (long i = 5; i < 8; i++) middle(i);
            watched = 42;
            finish();
        }
        __asm__(".section .text.start, \\"ax\\"; .globl _start; _start:"
                "csrr t0, mhartid; bnez t0, 1f; li t0, 0x6000; csrs mstatus, t0; la sp, stack + 4096; call begin;"
                "1: addi t0, t0, -1; bnez t0, 2f; la sp, stack + 8192; call spin; 2: wfi; j 2b");
        char stack[8192] __attribute__((aligned(16)));
        """

    /// Builds the program, runs it under `script`; what the debugger said and how the machine ended.
    private func debug(_ script: [String], cpus: Int = 1) async throws -> (said: String, end: VirtualMachineEnd) {
        let tools = try CrossTools()
        let program = try tools.compile(Self.source)
        var configuration = VirtualMachineConfiguration(bootLoader: .bare(kernel: program))
        configuration.cpuCount = cpus
        configuration.memorySize = 64 << 20
        configuration.hasAgentPort = false
        configuration.debugServer = DebugServer(port: 0, waits: true)
        configuration.timeout = .seconds(120)
        let machine = try await VirtualMachine(configuration, isolation: .none)
        try await machine.start()
        let port = try #require(machine.debugPort)
        let said = try await tools.debug(program, ["target remote 127.0.0.1:\(port)"] + script)
        return (said, await machine.wait())
    }

    @Test("a breakpoint by symbol stops there with the caller's frames, each time")
    func breakpoint() async throws {
        let (said, end) = try await debug([
            "break leaf", "continue", "backtrace", "continue", "print n", "delete", "continue",
        ])
        #expect(said.contains("Breakpoint 1, leaf (n=5)"))
        #expect(said.contains("in middle (n=5)"))
        #expect(said.contains("in begin ()"))
        #expect(said.contains("$1 = 6"))
        #expect(said.contains("exited normally"))
        #expect(end.reason == .poweredOff(code: 0))
    }

    @Test("registers of every kind are read by name, and written")
    func registers() async throws {
        let (said, _) = try await debug([
            "print/x $pc", "print/x $mhartid", "print $priv", "break leaf", "continue", "print $a0", "set $a0 = 100",
            "finish", "print $fcsr", "print/x $misa", "print/x $mstatus & 0x6000", "print total", "kill",
        ])
        #expect(said.contains("$1 = 0x80000000"))
        #expect(said.contains("$2 = 0x0"))
        #expect(said.contains("$3 = 3"))
        #expect(said.contains("$4 = 5"))
        #expect(said.contains("Value returned is $5 = 200"))
        #expect(said.contains("$9 = 100"))
    }

    @Test("a watchpoint stops at the store, with the value before and after")
    func watchpoint() async throws {
        let (said, end) = try await debug([
            "break begin", "continue", "watch watched", "continue", "print watched", "info line", "delete", "continue",
        ])
        #expect(said.contains("Hardware watchpoint 2: watched"))
        #expect(said.contains("Old value = 0"))
        #expect(said.contains("New value = 42"))
        #expect(said.contains("$1 = 42"))
        #expect(end.reason == .poweredOff(code: 0))
    }

    @Test("a read watchpoint stops at a load")
    func readWatchpoint() async throws {
        let (said, _) = try await debug(["break middle", "continue", "rwatch total", "continue", "backtrace", "kill"])
        #expect(said.contains("Hardware read watchpoint 2: total"))
        #expect(said.contains("in middle (n=5)"))
    }

    @Test("a single step goes on by one instruction, a line step by one line")
    func step() async throws {
        let (said, _) = try await debug([
            "stepi", "print/x $pc", "break middle", "continue", "step", "backtrace 1", "kill",
        ])
        #expect(said.contains("$1 = 0x80000004"))
        #expect(said.contains("leaf (n=5)"))
    }

    @Test("memory is read and written, code disassembled, and what is not there refused")
    func memory() async throws {
        let (said, _) = try await debug([
            "break leaf", "continue", "set variable total = 1000", "print total", "x/2i $pc", "x/gx 0x10", "kill",
        ])
        #expect(said.contains("$1 = 1000"))
        #expect(said.contains("=> 0x"))
        #expect(said.contains("Cannot access memory at address 0x10"))
    }

    @Test("each hart is a thread")
    func threads() async throws {
        let (said, _) = try await debug(
            ["break leaf", "continue", "info threads", "thread 3", "print/x $mhartid", "kill"], cpus: 3)
        #expect(said.contains("Thread 1 (hart 0, ring M"))
        #expect(said.contains("Thread 3 (hart 2, ring M"))
        #expect(said.contains("$1 = 0x2"))
    }

    @Test("under scheduler-locking a hart runs alone, until the lock is off")
    func schedulerLocking() async throws {
        let (said, end) = try await debug(
            [
                "break leaf", "continue", "set scheduler-locking on", "set $before = other", "continue",
                "print other == $before", "delete", "thread 2", "break spun", "continue", "continue", "print total",
                "delete", "set scheduler-locking off", "continue",
            ], cpus: 2)
        #expect(said.contains("Thread 1 hit Breakpoint 1, leaf (n=6)"))
        #expect(said.contains("$1 = 1\n"))
        #expect(said.contains("Thread 2 hit Breakpoint 2, spun ()"))
        #expect(said.contains("$2 = 5\n"))
        #expect(said.contains("exited normally"))
        #expect(end.reason == .poweredOff(code: 0))
    }

    @Test("monitor commands reach the machine")
    func monitor() async throws {
        let (said, end) = try await debug(["monitor status", "monitor nonsense", "monitor vcpus", "monitor quit"])
        #expect(said.contains("platform      riscv64"))
        #expect(said.contains("command 'nonsense' is not known"))
        #expect(said.contains("last exit"))
        #expect(end.reason == .stopped(.debugger))
    }

    @Test("a debugger that detaches leaves a machine that runs on")
    func detach() async throws {
        let (said, end) = try await debug(["break leaf", "continue", "detach"])
        #expect(said.contains("Breakpoint 1, leaf"))
        #expect(end.reason == .poweredOff(code: 0))
    }
}
