// SPDX-License-Identifier: Apache-2.0

import Host
import MachineCore
import VMMemory

/// HTIF: how bare programs for simulators speak to their host, by two 64-bit words in RAM (riscv-isa-sim,
/// `fesvr/htif.cc`; the words are the ELF's symbols `tohost` and `fromhost`).
///
/// A command is device in 63:56, command in 55:48, payload in 47:0. Device 0 is the system: an odd payload ends the
/// program with code payload / 2, an even one is the address of a system call's arguments. Device 1 is the console.
/// Nothing tells of a store, so the word is polled: often after a command, seldom otherwise.
final class HostInterface: Sendable {
    /// What a look at the word led to.
    enum Event: Equatable {
        case nothing
        case end(code: Int32)
        case output([UInt8])
        case handled
        /// The program waits for a byte of console input.
        case wantsInput
    }

    private let words: BootPlan.HostInterface
    private let memory: GuestMemory

    private static var mostOutput: UInt64 { 4096 }
    private static var notImplemented: UInt64 { UInt64(bitPattern: -38) }

    /// The words at `words` in `memory`.
    init(_ words: BootPlan.HostInterface, memory: GuestMemory) {
        self.words = words
        self.memory = memory
    }

    /// Looks at the word and answers what is there.
    func poll() -> Event {
        guard let command = memory.load(UInt64.self, at: GuestAddress(words.toHost)), command != 0 else {
            return .nothing
        }
        let payload = command & 0xFFFF_FFFF_FFFF
        switch (command >> 56, command >> 48 & 0xFF) {
        case (0, 0) where payload & 1 != 0: return .end(code: Int32(truncatingIfNeeded: payload >> 1))
        case (0, 0): return call(at: GuestAddress(payload))
        case (1, 1):
            acknowledge()
            return .output([UInt8(truncatingIfNeeded: payload)])
        case (1, 0): return .wantsInput
        default:
            acknowledge()
            return .handled
        }
    }

    /// Answers `wantsInput`.
    func giveInput(_ byte: UInt8) {
        acknowledge()
        answer(1 << 56 | UInt64(byte))
    }

    private func acknowledge() { memory.store(UInt64(0), at: GuestAddress(words.toHost)) }

    private func answer(_ value: UInt64) {
        if let fromHost = words.fromHost { memory.store(value, at: GuestAddress(fromHost)) }
    }

    /// A system call: eight words at `address`, the number first, the result in its place. Only writing to the
    /// standard outputs and ending exist.
    private func call(at address: GuestAddress) -> Event {
        let arguments = (0..<4).map { memory.load(UInt64.self, at: address + UInt64($0) * 8) ?? 0 }
        var event = Event.handled
        var result = Self.notImplemented
        switch arguments[0] {
        case 93: return .end(code: Int32(truncatingIfNeeded: arguments[1]))
        case 64 where arguments[1] == 1 || arguments[1] == 2:
            let count = min(arguments[3], Self.mostOutput)
            if let bytes = memory.bytes(at: GuestAddress(arguments[2]), count: Int(count)) {
                event = .output(bytes)
                result = count
            }
        default: break
        }
        memory.store(result, at: address)
        acknowledge()
        answer(1)
        return event
    }
}

extension MachineLife<VirtBoard> {
    /// Nanoseconds between looks: after a command, and otherwise.
    private static var soon: UInt64 { 20_000 }
    private static var later: UInt64 { 1_000_000 }

    /// Looks at HTIF's word for as long as the machine lives.
    func poll(_ interface: HostInterface) { schedulePoll(interface, after: Self.soon) }

    private func schedulePoll(_ interface: HostInterface, after delay: UInt64) {
        board.loop.schedule(at: MonotonicTime.now + delay) { [weak self] in
            guard let self, let next = self.look(interface) else { return }
            self.schedulePoll(interface, after: next)
        }
    }

    /// When to look again; nil where the program has ended.
    private func look(_ interface: HostInterface) -> UInt64? {
        guard state == .running else { return state == .ended ? nil : Self.later }
        switch interface.poll() {
        case .nothing: return Self.later
        case .handled: return Self.soon
        case .output(let bytes):
            _ = board.writeConsole(bytes)
            return Self.soon
        case .wantsInput:
            guard let byte = board.readConsole(1).first else { return Self.later }
            interface.giveInput(byte)
            return Self.soon
        case .end(let code):
            post(.guestRequest(.powerOff(code: code)))
            return nil
        }
    }
}
