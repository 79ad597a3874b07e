// SPDX-License-Identifier: Apache-2.0

import Glibc
import Host
import SystemPackage
import Testing

/// The settings of a terminal as numbers that compare.
private func settings(_ number: CInt) -> [UInt32] {
    var value = termios()
    tcgetattr(number, &value)
    return [value.c_iflag, value.c_oflag, value.c_cflag, value.c_lflag]
}

@Suite(.timeLimit(.minutes(10))) struct TerminalTests {
    @Test("what is no terminal is none")
    func none() throws {
        let pipe = try Descriptor.pipe()
        #expect(Terminal(pipe.first.raw) == nil)
    }

    @Test("a pseudoterminal has a path, and the size that is set on one end is read on the other")
    func size() throws {
        let pty = try PseudoTerminal()
        #expect(pty.path.string.hasPrefix("/dev/pts/"))
        try #require(Terminal(pty.controller.raw)).setSize(.init(columns: 132, rows: 43))
        #expect(Terminal(pty.terminal.raw)?.size == .init(columns: 132, rows: 43))
    }

    @Test("raw mode ends when it is let go of, and the settings are as before")
    func leave() async {
        await #expect(processExitsWith: .success) {
            let terminal = try frontTerminal()
            let cooked = settings(terminal.rawValue)
            do {
                let raw = try Terminal(terminal)!.enterRawMode()
                guard settings(terminal.rawValue)[3] & UInt32(ICANON | ECHO | ISIG) == 0 else { exit(2) }
                raw.leave()
            }
            exit(settings(terminal.rawValue) == cooked ? 0 : 3)
        }
    }

    @Test(
        "the settings come back when the process dies by a signal or exits",
        arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT, SIGILL, 0])
    func deadlySignals(number: CInt) async {
        await #expect(processExitsWith: .success) { [number] in
            let terminal = try frontTerminal()
            let cooked = settings(terminal.rawValue)
            let child = fork_for_test()
            if child == 0 {
                var none = sigset_t()
                sigemptyset(&none)
                sigprocmask(SIG_SETMASK, &none, nil)
                let raw = try Terminal(terminal)!.enterRawMode()
                if number == 0 { exit(0) }
                raise(number)
                raw.leave()
                _exit(9)
            }
            var status: CInt = 0
            waitpid(child, &status, 0)
            guard status & 0x7F == number else { exit(4) }
            exit(settings(terminal.rawValue) == cooked ? 0 : 3)
        }
    }

    @Test("a stopped process leaves the terminal as it was, and has it raw again when it goes on")
    func stopAndContinue() async {
        await #expect(processExitsWith: .success) {
            let terminal = try frontTerminal()
            let cooked = settings(terminal.rawValue)
            let child = fork_for_test()
            if child == 0 {
                var none = sigset_t()
                sigemptyset(&none)
                sigprocmask(SIG_SETMASK, &none, nil)
                let raw = try Terminal(terminal)!.enterRawMode()
                let inside = settings(terminal.rawValue)
                raise(SIGTSTP)
                let isRawAgain = settings(terminal.rawValue) == inside
                raw.leave()
                _exit(isRawAgain ? 0 : 9)
            }
            var status: CInt = 0
            waitpid(child, &status, WUNTRACED)
            guard status & 0xFF == 0x7F, settings(terminal.rawValue) == cooked else { exit(2) }
            kill(child, SIGCONT)
            waitpid(child, &status, 0)
            exit(status == 0 && settings(terminal.rawValue) == cooked ? 0 : 3)
        }
    }
}

/// A cooked terminal that lives as long as the process.
private func frontTerminal() throws -> FileDescriptor {
    let pty = try PseudoTerminal()
    var cooked = termios()
    tcgetattr(pty.terminal.number, &cooked)
    cooked.c_lflag |= UInt32(ICANON | ECHO | ISIG)
    cooked.c_oflag |= UInt32(OPOST)
    tcsetattr(pty.terminal.number, TCSANOW, &cooked)
    _ = pty.controller.take()
    return pty.terminal.take()
}

/// fork(2), which Swift does not import; the child does little and does not return.
private func fork_for_test() -> pid_t {
    guard let symbol = dlsym(nil, "fork") else { return -1 }
    return unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)()
}
