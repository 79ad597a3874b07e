// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import X86_64

@Suite("CPU models by name")
struct CPUModelParsingTests {
    @Test("every named model parses to itself", arguments: CPUModel.named)
    func named(model: CPUModel) throws {
        #expect(try CPUModel(parsing: model.name) == model)
    }

    @Test(
        "features are added and taken away however they are spelt",
        arguments: [
            ("qemu64,+sse4_1,+ssse3", Feature.sse41, true), ("qemu64,+ssse3,+SSE4.1", .sse41, true),
            ("max,-sse4-1", .sse41, false), ("max,pku=off", .pku, false), ("qemu64,umip=on", .umip, true),
            ("max,+pku,-pku", .pku, false), ("baseline,lzcnt=off", .abm, false),
        ])
    func feature(text: String, feature: Feature, present: Bool) throws {
        #expect(try CPUModel(parsing: text).has(feature) == present)
    }

    @Test(
        "what needs a feature that was taken away goes with it",
        arguments: [
            ("max,-avx", [Feature.avx, .avx2, .fma, .f16c]), ("max,-xsave", [.xsave, .avx, .avx2, .pku, .xsaves]),
            ("max,-sse2", [.sse3, .ssse3, .sse41, .sse42, .aes]), ("max,-lm", [.la57, .pks, .page1g]),
        ])
    func dependents(text: String, gone: [Feature]) throws {
        let model = try CPUModel(parsing: text)
        #expect(gone.allSatisfy { !model.has($0) })
    }

    @Test("properties replace the model's own")
    func properties() throws {
        let model = try CPUModel(
            parsing:
                "qemu64,vendor=GenuineIntel,family=6,model=0x3c,stepping=4,phys-bits=36,model-id=A name,host-phys-bits")
        #expect(model.vendor == .intel)
        #expect(model.signature == 0x306c4)
        #expect(model.physicalAddressBits == 36)
        #expect(model.brand == "A name")
    }

    @Test(
        "what is wrong is said in a sentence that lists what is right",
        arguments: [
            ("pentium9", "there is no CPU model \"pentium9\": choose one of baseline, max, qemu32"),
            ("", "there is no CPU model \"\""),
            ("max,+avx1024", "there is no CPU feature \"avx1024\": the features are fpu, vme, de"),
            ("max,colour=red", "a CPU model has no property \"colour\": it has +FEATURE"),
            ("max,", "a CPU model has no property \"\""),
            ("max,vendor=Cyrix", "there is no CPU vendor \"Cyrix\": choose GenuineIntel or AuthenticAMD"),
            ("max,family=x", "the CPU model's family is \"x\" and must be a number from 0 to 270"),
            ("max,phys-bits=60", "the CPU model's phys-bits is \"60\" and must be a number from 32 to 52"),
            ("max,avx=maybe", "the CPU model's avx is \"maybe\" and must be on or off"),
            ("qemu64,+avx2", "the CPU feature avx2 needs avx: add +avx or leave it out"),
        ])
    func errors(text: String, start: String) {
        let error = #expect(throws: CPUModelError.self) { try CPUModel(parsing: text) }
        #expect(error.map { $0.description.hasPrefix(start) } == true)
    }

    @Test("a feature that the engine does not offer is an error when it is asked for, and left out when it is not")
    func offered() throws {
        let offered = FeatureSet.interpreter.subtracting([.avx2])
        #expect(try !CPUModel(parsing: "max", offered: offered, engine: "kvm").has(.avx2))
        #expect(throws: CPUModelError.notOffered(feature: "avx2", engine: "kvm")) {
            try CPUModel(parsing: "max,+avx2", offered: offered, engine: "kvm")
        }
    }

    @Test("the baseline is offered whole by the interpreter and has what x86-64-v3 asks for")
    func baseline() {
        #expect(CPUModel.baseline.features.subtracting(.interpreter).isEmpty)
        let level3: FeatureSet = [
            .cmov, .cx8, .fpu, .fxsr, .mmx, .syscall, .sse, .sse2, .cx16, .lahf, .popcnt, .sse3, .sse41, .sse42, .ssse3,
            .avx, .avx2, .bmi1, .bmi2, .f16c, .fma, .abm, .movbe, .xsave,
        ]
        #expect(level3.subtracting(CPUModel.baseline.features).isEmpty)
    }

    @Test("no named model has a feature without what it needs", arguments: CPUModel.named)
    func consistent(model: CPUModel) {
        var pruned = model.features
        pruned.removeUnsupported()
        #expect(pruned == model.features)
    }

    @Test("names are unique and say every feature")
    func names() {
        let names = Feature.rows.map { "\($0.name)" }
        #expect(Set(names).count == names.count)
        #expect(Set(Feature.rows.map(\.feature)).count == names.count)
        #expect(FeatureSet.interpreter.names == names)
    }
}
