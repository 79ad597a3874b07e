// SPDX-License-Identifier: Apache-2.0

import MachineCore

extension GDBSession {
    /// Handles a packet by its first letter (GDB manual, appendix E.2 "Packets").
    mutating func handle(_ content: [UInt8]) {
        var reader = GDBReader(content.dropFirst())
        switch content.first.map({ UnicodeScalar($0) }) {
        case "?": reply(stopReply())
        case "g": readGeneralRegisters()
        case "G": writeGeneralRegisters(&reader)
        case "p": readRegister(&reader)
        case "P": writeRegister(&reader)
        case "m": readMemory(&reader)
        case "M": writeMemory(&reader, decode: { $0.bytes() })
        case "X": writeMemory(&reader, decode: { Array($0.rest) })
        case "Z": changePoint(&reader, inserts: true)
        case "z": changePoint(&reader, inserts: false)
        case "H": selectThread(&reader)
        case "T": reply(reader.thread().flatMap(existing) == nil ? GDBReply.noThread : GDBReply.ok)
        case "c": resumeSelected(.run, address: reader.number())
        case "s": resumeSelected(.step, address: reader.number())
        // The signal that a process would get means nothing to a machine.
        case "C": resumeSelected(.run, address: addressAfterSignal(&reader))
        case "S": resumeSelected(.step, address: addressAfterSignal(&reader))
        case "v": handleVerbose(&reader)
        case "q": handleQuery(&reader)
        case "Q": if reader.take("StartNoAckMode") { stopAcknowledging() } else { reply(GDBReply.unsupported) }
        case "D":
            reply(GDBReply.ok)
            end(kill: false)
        case "k": end(kill: true)
        default: reply(GDBReply.unsupported)
        }
    }

    /// The threads that the target has, or nil.
    func existing(_ thread: GDBThread) -> Int? {
        switch thread {
        case .all, .any: selectedThread
        case .one(let number): number < target.threadCount ? number : nil
        }
    }

    // MARK: Registers

    private mutating func readGeneralRegisters() {
        var hex: [UInt8] = []
        for register in target.registers.general {
            let value = target.register(register.number, thread: selectedThread)
            hex +=
                value.map { .init(hex: $0, bytes: register.bits / 8) }
                ?? .init(repeating: UInt8(ascii: "x"), count: register.bits / 4)
        }
        reply(hex)
    }

    private mutating func writeGeneralRegisters(_ reader: inout GDBReader) {
        guard let bytes = reader.bytes() else { return reply(GDBReply.invalid) }
        var rest = bytes[...]
        for register in target.registers.general {
            let size = register.bits / 8
            guard rest.count >= size else { break }
            _ = target.setRegister(register.number, to: rest.prefix(size).littleEndian, thread: selectedThread)
            rest = rest.dropFirst(size)
        }
        reply(GDBReply.ok)
    }

    private mutating func readRegister(_ reader: inout GDBReader) {
        guard let number = reader.number(), reader.isAtEnd else { return reply(GDBReply.invalid) }
        guard let register = target.registers[Int(truncatingIfNeeded: number)],
            let value = target.register(register.number, thread: selectedThread)
        else { return reply(GDBReply.fault) }
        reply(.init(hex: value, bytes: register.bits / 8))
    }

    private mutating func writeRegister(_ reader: inout GDBReader) {
        guard let number = reader.number(), reader.take("="), let bytes = reader.bytes() else {
            return reply(GDBReply.invalid)
        }
        guard let register = target.registers[Int(truncatingIfNeeded: number)], bytes.count == register.bits / 8,
            target.setRegister(register.number, to: bytes[...].littleEndian, thread: selectedThread)
        else { return reply(GDBReply.fault) }
        reply(GDBReply.ok)
    }

    // MARK: Memory

    private mutating func readMemory(_ reader: inout GDBReader) {
        guard let address = reader.number(), reader.take(","), let count = reader.number(), reader.isAtEnd else {
            return reply(GDBReply.invalid)
        }
        // Two digits a byte have to fit in a packet; the debugger asks again for what is missing.
        let most = min(count, UInt64(GDBFramer.packetSize / 2))
        let bytes = target.readMemory(at: address, count: Int(truncatingIfNeeded: most), thread: selectedThread)
        if bytes.isEmpty && count > 0 { reply(GDBReply.fault) } else { reply(.init(hex: bytes)) }
    }

    private mutating func writeMemory(_ reader: inout GDBReader, decode: (inout GDBReader) -> [UInt8]?) {
        guard let address = reader.number(), reader.take(","), let count = reader.number(), reader.take(":"),
            let bytes = decode(&reader), UInt64(bytes.count) == count
        else { return reply(GDBReply.invalid) }
        let written = bytes.isEmpty || target.writeMemory(bytes, at: address, thread: selectedThread)
        reply(written ? GDBReply.ok : GDBReply.fault)
    }

    // MARK: Breakpoints and watchpoints

    private mutating func changePoint(_ reader: inout GDBReader, inserts: Bool) {
        guard let type = reader.number(), reader.take(","), let address = reader.number(), reader.take(","),
            let count = reader.number()
        else { return reply(GDBReply.invalid) }
        let kinds: [UInt64: WatchKind] = [2: .write, 3: .read, 4: .access]
        let point: DebugPoint
        switch type {
        case 0, 1: point = .breakpoint(address)
        case 2, 3, 4:
            guard let kind = kinds[type], count > 0, count - 1 <= UInt64.max - address else {
                return reply(GDBReply.invalid)
            }
            point = .watchpoint(address, count: count, kind: kind)
        default: return reply(GDBReply.unsupported)
        }
        if inserts {
            guard target.insert(point) else { return reply(GDBReply.full) }
            if type == 1 { hardwareBreakpoints.insert(address) }
        } else {
            target.remove(point)
            if type == 1 { hardwareBreakpoints.remove(address) }
        }
        reply(GDBReply.ok)
    }

    // MARK: Threads

    private mutating func selectThread(_ reader: inout GDBReader) {
        let isForRegisters = reader.take("g")
        guard isForRegisters || reader.take("c") else { return reply(GDBReply.unsupported) }
        guard let thread = reader.thread(), let number = existing(thread) else { return reply(GDBReply.noThread) }
        if isForRegisters { selectedThread = number } else { resumeThread = thread }
        reply(GDBReply.ok)
    }

    // MARK: Resuming

    private mutating func resumeSelected(_ action: DebugAction, address: UInt64?) {
        setProgramCounter(address)
        let only: Int? = if case .one(let number) = resumeThread { number } else { nil }
        // A step is of one thread, and the others go on: they may hold what it waits for.
        resume(
            (0..<target.threadCount).map { thread in
                if action == .step { return thread == (only ?? selectedThread) ? .step : .run }
                return only == nil || thread == only ? action : .stay
            })
    }

    private func addressAfterSignal(_ reader: inout GDBReader) -> UInt64? {
        _ = reader.number()
        return reader.take(";") ? reader.number() : nil
    }

    private mutating func handleVerbose(_ reader: inout GDBReader) {
        if reader.take("Cont?") {
            reply("vCont;c;C;s;S")
        } else if reader.take("Cont") {
            resumeEach(&reader)
        } else if reader.take("Kill") {
            reply(GDBReply.ok)
            end(kill: true)
        } else {
            reply(GDBReply.unsupported)
        }
    }

    /// `vCont[;action[:thread]]…`: for each thread the first action that names it; without one it stays.
    private mutating func resumeEach(_ reader: inout GDBReader) {
        var actions = [DebugAction?](repeating: nil, count: target.threadCount)
        while reader.take(";") {
            let action: DebugAction
            if reader.take("c") {
                action = .run
            } else if reader.take("s") {
                action = .step
            } else if reader.take("C") {
                action = .run
                _ = reader.number()
            } else if reader.take("S") {
                action = .step
                _ = reader.number()
            } else {
                return reply(GDBReply.invalid)
            }
            let thread = reader.take(":") ? reader.thread() : .all
            guard let thread, thread == .all || existing(thread) != nil else { return reply(GDBReply.noThread) }
            for number in actions.indices where actions[number] == nil {
                if thread == .all || existing(thread) == number { actions[number] = action }
            }
        }
        guard reader.isAtEnd, actions.contains(where: { $0 != nil }) else { return reply(GDBReply.invalid) }
        resume(actions.map { $0 ?? .stay })
    }
}

extension Sequence<UInt8> {
    /// The number that the bytes spell, least significant first; bytes past the eighth do not count.
    var littleEndian: UInt64 {
        prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }
}
