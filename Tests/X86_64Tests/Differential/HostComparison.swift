// SPDX-License-Identifier: Apache-2.0

import X86Oracle

@testable import X86_64

/// A short random program, the state that it starts from, and which flags of what it leaves count.
struct RandomProgram {
    let bytes: [UInt8]
    /// Names and bytes of its instructions.
    let listing: String
    /// Flags that the manual leaves undefined at its end, and at any place in it.
    let undefined: UInt64
    let undefinedAnywhere: UInt64
    let general: [UInt64]
    let flags: UInt64
    let vectors: [UInt64]
    let data: [UInt8]

    /// One to three instructions: the last one is of `row`, those before it of any of `others`.
    init(_ row: InstructionRow, after others: [InstructionRow], using random: inout SeededGenerator) {
        var bytes: [UInt8] = []
        var listing: [String] = []
        var undefined: UInt16 = 0
        var anywhere: UInt16 = 0
        let before = (0..<(others.isEmpty ? 0 : random.next() % 3)).map { _ in random.pick(others) }
        for row in before + [row] {
            if row.flags.read & undefined != 0 {
                // cmp r8d, r9d: what is read next has to be defined.
                bytes += [0x45, 0x39, 0xc8]
                undefined = 0
            }
            var builder = InstructionBuilder(row, data: NATIVE_DATA + 512)
            bytes += builder.build(using: &random)
            let text = builder.bytes.map { String($0, radix: 16) }.joined(separator: " ")
            listing.append("\(row.name) [\(text)]")
            (undefined, anywhere) = Self.undefined(row, builder.width, undefined, anywhere)
        }
        self.bytes = bytes
        self.listing = listing.joined(separator: "; ")
        self.undefined = UInt64(undefined)
        undefinedAnywhere = UInt64(anywhere)
        general = (0..<16).map { $0 == 4 ? NATIVE_DATA + 896 : random.number() }
        let arithmetic = random.next() & UInt64(FlagEffects.all)
        flags = 0x202 | arithmetic | (random.once(in: 8) ? RFlags.direction : 0)
        vectors = (0..<64).map { _ in random.number() }
        data = (0..<Int(NATIVE_DATA_BYTES)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// Which flags are undefined behind `row`. A shift by zero changes none; one by the operand's width or more leaves CF
    /// undefined (Intel SDM Vol 2B "SAL/SAR/SHL/SHR").
    private static func undefined(
        _ row: InstructionRow, _ width: OperandWidth, _ before: UInt16, _ anywhere: UInt16
    ) -> (UInt16, UInt16) {
        var added = row.flags.undefined
        let isShift = row.encoding.map == .one && [0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3].contains(row.encoding.opcode)
        let counts = isShift || "\(row.name)".hasPrefix("sh") && row.encoding.vex == .none
        if counts && width.bits < 2 { added |= FlagEffects.cf }
        // A string instruction repeated no times compares nothing.
        let keeps = counts || row.attributes.contains(.repeats)
        let kept = keeps ? before : before & ~row.flags.written
        return (kept | added, anywhere | added | before)
    }
}

/// Runs programs on the host and on the interpreter, and says where they differ.
final class HostComparison {
    /// What is changed in the interpreter's copy of a program: a bug that must be found.
    typealias Plant = ([UInt8]) -> [UInt8]

    private let programs: [RandomProgram]
    private let fixture = UserFixture(model: .everything, ram: PlainRAM(base: NATIVE_BASE, size: Int(NATIVE_SIZE)))
    /// How many programs were not compared because they left the memory that both sides have.
    private(set) var skipped = 0

    init(_ programs: [RandomProgram]) { self.programs = programs }

    /// One line for each program that ended otherwise.
    func differences(plant: Plant = { $0 }) -> [String] {
        let count = Int32(programs.count)
        guard let cases = native_cases_allocate(count) else { return ["no memory for \(count) cases"] }
        defer { native_cases_free(cases, count) }
        for (index, program) in programs.enumerated() { program.fill(&cases[index]) }
        guard native_cases_run(cases, count) else { return ["the child process did not run its cases"] }
        return programs.indices.compactMap { compare(programs[$0], cases[$0], plant) }
    }

    private func compare(_ program: RandomProgram, _ theirs: native_case, _ plant: Plant) -> String? {
        // A page fault of the host: the guest has no page tables here.
        if theirs.vector == 14 || theirs.vector < 0 {
            skipped += 1
            return nil
        }
        let (vector, code) = run(program, plant(program.bytes))
        let state = fixture.processor.registers
        var found: [String] = []
        func check(_ name: String, _ ours: UInt64, _ theirs: UInt64) {
            if ours != theirs { found.append("\(name) \(String(ours, radix: 16)), host \(String(theirs, radix: 16))") }
        }
        check("vector", UInt64(vector), UInt64(theirs.vector))
        check("error code", UInt64(code), theirs.error)
        check("rip", state.rip, theirs.after.rip)
        let expected = theirs.after
        withUnsafeBytes(of: expected.general) { bytes in
            let general = bytes.bindMemory(to: UInt64.self)
            for index in 0..<16 { check("r\(index)", state.general[index], general[index]) }
        }
        let ended = state.rip == NATIVE_CODE + UInt64(program.bytes.count)
        let ignored = ended ? program.undefined : program.undefinedAnywhere
        let mask = (UInt64(FlagEffects.all) | RFlags.direction) & ~ignored
        check("flags", state.rflags & mask, expected.rflags & mask)
        compareVectors(state, expected, check)
        let memory = fixture.ram.memory.bytes(at: .init(NATIVE_DATA), count: Int(NATIVE_DATA_BYTES)) ?? []
        let same = withUnsafeBytes(of: theirs.data_after) { $0.elementsEqual(memory) }
        if !same { found.append("memory") }
        return found.isEmpty ? nil : "\(program.listing): \(found.joined(separator: ", "))"
    }

    private func compareVectors(
        _ state: ProcessorState, _ expected: native_state, _ check: (String, UInt64, UInt64) -> Void
    ) {
        withUnsafeBytes(of: expected.fxsave) { image in
            check("mxcsr", UInt64(state.mxcsr), UInt64(image.loadUnaligned(fromByteOffset: 24, as: UInt32.self)))
            for index in 0..<32 {
                let part = image.loadUnaligned(fromByteOffset: 160 + index * 8, as: UInt64.self)
                check("xmm\(index / 2).\(index % 2)", state.vectors[index / 2 * 4 + index % 2], part)
            }
        }
        withUnsafeBytes(of: expected.ymm_high) { image in
            for index in 0..<32 {
                let part = image.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                check("ymm\(index / 2).\(index % 2 + 2)", state.vectors[index / 2 * 4 + 2 + index % 2], part)
            }
        }
    }

    /// Runs `bytes` from the program's state on: the vector that ended them and its error code.
    private func run(_ program: RandomProgram, _ bytes: [UInt8]) -> (UInt8, UInt32) {
        fixture.reset()
        let padding = [UInt8](repeating: 0xf4, count: Int(NATIVE_CODE_BYTES) - bytes.count)
        fixture.ram.put(bytes + padding, at: NATIVE_CODE)
        fixture.ram.put(program.data, at: NATIVE_DATA)
        fixture.processor.flushCode()
        for index in 0..<16 { fixture[index] = program.general[index] }
        for index in 0..<64 { fixture.processor.registers.vectors[index] = program.vectors[index] }
        fixture.processor.registers.cr0 |= CR0.mp | CR0.am
        fixture.processor.rip = NATIVE_CODE
        fixture.processor.rflags = program.flags
        fixture.processor.stateChanged()
        for _ in 0..<10_000 {
            switch fixture.processor.runUntilFault(end: .max) {
            case .fault(let fault): return (fault.vector.rawValue, fault.code)
            case .exit: return (255, 0)
            case .done: continue
            }
        }
        return (254, 0)
    }
}

extension RandomProgram {
    /// Writes the program into a case for the host.
    func fill(_ target: inout native_case) {
        let padded = bytes + [UInt8](repeating: 0xf4, count: Int(NATIVE_CODE_BYTES) - bytes.count)
        withUnsafeMutableBytes(of: &target.code) { $0.copyBytes(from: padded) }
        withUnsafeMutableBytes(of: &target.data_before) { $0.copyBytes(from: data) }
        withUnsafeMutableBytes(of: &target.before.general) { bytes in
            for (index, value) in general.enumerated() {
                bytes.storeBytes(of: value, toByteOffset: index * 8, as: UInt64.self)
            }
        }
        target.before.rip = NATIVE_CODE
        target.before.rflags = flags
        withUnsafeMutableBytes(of: &target.before.fxsave) { image in
            image.storeBytes(of: 0x37f, as: UInt16.self)
            image.storeBytes(of: 0x1f80, toByteOffset: 24, as: UInt32.self)
            for index in 0..<32 {
                image.storeBytes(of: vectors[index / 2 * 4 + index % 2], toByteOffset: 160 + index * 8, as: UInt64.self)
            }
        }
        withUnsafeMutableBytes(of: &target.before.ymm_high) { image in
            for index in 0..<32 {
                image.storeBytes(of: vectors[index / 2 * 4 + 2 + index % 2], toByteOffset: index * 8, as: UInt64.self)
            }
        }
    }
}

extension CPUModel {
    /// The default with every feature that a row asks for.
    static var everything: CPUModel {
        var model = CPUModel()
        for row in InstructionSet.rows { model.features.insert(row.feature) }
        return model
    }
}
