// SPDX-License-Identifier: Apache-2.0

/// Fused multiplication and addition (Intel SDM Vol 1 §14.5).
enum ExtensionFMA {
    static let rows: [InstructionRow] = [
        .vector(
            "vfmaddsub132ps", .vex(.map38, 0x96, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub132ps, .fma
        ),
        .vector(
            "vfmaddsub132pd", .vex(.map38, 0x96, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub132pd, .fma
        ),
        .vector(
            "vfmsubadd132ps", .vex(.map38, 0x97, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd132ps, .fma
        ),
        .vector(
            "vfmsubadd132pd", .vex(.map38, 0x97, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd132pd, .fma
        ),
        .vector("vfmadd132ps", .vex(.map38, 0x98, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmadd132ps, .fma),
        .vector("vfmadd132pd", .vex(.map38, 0x98, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmadd132pd, .fma),
        .vector(
            "vfmadd132ss", .vex(.map38, 0x99, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmadd132ps, .fma),
        .vector(
            "vfmadd132sd", .vex(.map38, 0x99, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmadd132pd, .fma),
        .vector("vfmsub132ps", .vex(.map38, 0x9a, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsub132ps, .fma),
        .vector("vfmsub132pd", .vex(.map38, 0x9a, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsub132pd, .fma),
        .vector(
            "vfmsub132ss", .vex(.map38, 0x9b, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmsub132ps, .fma),
        .vector(
            "vfmsub132sd", .vex(.map38, 0x9b, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmsub132pd, .fma),
        .vector(
            "vfnmadd132ps", .vex(.map38, 0x9c, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmadd132ps, .fma),
        .vector(
            "vfnmadd132pd", .vex(.map38, 0x9c, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmadd132pd, .fma),
        .vector(
            "vfnmadd132ss", .vex(.map38, 0x9d, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmadd132ps, .fma),
        .vector(
            "vfnmadd132sd", .vex(.map38, 0x9d, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmadd132pd, .fma),
        .vector(
            "vfnmsub132ps", .vex(.map38, 0x9e, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmsub132ps, .fma),
        .vector(
            "vfnmsub132pd", .vex(.map38, 0x9e, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmsub132pd, .fma),
        .vector(
            "vfnmsub132ss", .vex(.map38, 0x9f, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmsub132ps, .fma),
        .vector(
            "vfnmsub132sd", .vex(.map38, 0x9f, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmsub132pd, .fma),
        .vector(
            "vfmaddsub213ps", .vex(.map38, 0xa6, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub213ps, .fma
        ),
        .vector(
            "vfmaddsub213pd", .vex(.map38, 0xa6, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub213pd, .fma
        ),
        .vector(
            "vfmsubadd213ps", .vex(.map38, 0xa7, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd213ps, .fma
        ),
        .vector(
            "vfmsubadd213pd", .vex(.map38, 0xa7, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd213pd, .fma
        ),
        .vector("vfmadd213ps", .vex(.map38, 0xa8, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmadd213ps, .fma),
        .vector("vfmadd213pd", .vex(.map38, 0xa8, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmadd213pd, .fma),
        .vector(
            "vfmadd213ss", .vex(.map38, 0xa9, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmadd213ps, .fma),
        .vector(
            "vfmadd213sd", .vex(.map38, 0xa9, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmadd213pd, .fma),
        .vector("vfmsub213ps", .vex(.map38, 0xaa, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsub213ps, .fma),
        .vector("vfmsub213pd", .vex(.map38, 0xaa, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsub213pd, .fma),
        .vector(
            "vfmsub213ss", .vex(.map38, 0xab, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmsub213ps, .fma),
        .vector(
            "vfmsub213sd", .vex(.map38, 0xab, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmsub213pd, .fma),
        .vector(
            "vfnmadd213ps", .vex(.map38, 0xac, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmadd213ps, .fma),
        .vector(
            "vfnmadd213pd", .vex(.map38, 0xac, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmadd213pd, .fma),
        .vector(
            "vfnmadd213ss", .vex(.map38, 0xad, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmadd213ps, .fma),
        .vector(
            "vfnmadd213sd", .vex(.map38, 0xad, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmadd213pd, .fma),
        .vector(
            "vfnmsub213ps", .vex(.map38, 0xae, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmsub213ps, .fma),
        .vector(
            "vfnmsub213pd", .vex(.map38, 0xae, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmsub213pd, .fma),
        .vector(
            "vfnmsub213ss", .vex(.map38, 0xaf, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmsub213ps, .fma),
        .vector(
            "vfnmsub213sd", .vex(.map38, 0xaf, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmsub213pd, .fma),
        .vector(
            "vfmaddsub231ps", .vex(.map38, 0xb6, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub231ps, .fma
        ),
        .vector(
            "vfmaddsub231pd", .vex(.map38, 0xb6, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmaddsub231pd, .fma
        ),
        .vector(
            "vfmsubadd231ps", .vex(.map38, 0xb7, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd231ps, .fma
        ),
        .vector(
            "vfmsubadd231pd", .vex(.map38, 0xb7, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsubadd231pd, .fma
        ),
        .vector("vfmadd231ps", .vex(.map38, 0xb8, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmadd231ps, .fma),
        .vector("vfmadd231pd", .vex(.map38, 0xb8, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmadd231pd, .fma),
        .vector(
            "vfmadd231ss", .vex(.map38, 0xb9, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmadd231ps, .fma),
        .vector(
            "vfmadd231sd", .vex(.map38, 0xb9, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmadd231pd, .fma),
        .vector("vfmsub231ps", .vex(.map38, 0xba, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fmsub231ps, .fma),
        .vector("vfmsub231pd", .vex(.map38, 0xba, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fmsub231pd, .fma),
        .vector(
            "vfmsub231ss", .vex(.map38, 0xbb, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fmsub231ps, .fma),
        .vector(
            "vfmsub231sd", .vex(.map38, 0xbb, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fmsub231pd, .fma),
        .vector(
            "vfnmadd231ps", .vex(.map38, 0xbc, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmadd231ps, .fma),
        .vector(
            "vfnmadd231pd", .vex(.map38, 0xbc, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmadd231pd, .fma),
        .vector(
            "vfnmadd231ss", .vex(.map38, 0xbd, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmadd231ps, .fma),
        .vector(
            "vfnmadd231sd", .vex(.map38, 0xbd, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmadd231pd, .fma),
        .vector(
            "vfnmsub231ps", .vex(.map38, 0xbe, .p66, .any, w: .w0), .init(.Vx, .Hx, .Wx), .fused, .fnmsub231ps, .fma),
        .vector(
            "vfnmsub231pd", .vex(.map38, 0xbe, .p66, .any, w: .w1), .init(.Vx, .Hx, .Wx), .fused, .fnmsub231pd, .fma),
        .vector(
            "vfnmsub231ss", .vex(.map38, 0xbf, .p66, .ignored, w: .w0), .init(.Vss, .Hss, .Wss), .fusedScalar4,
            .fnmsub231ps, .fma),
        .vector(
            "vfnmsub231sd", .vex(.map38, 0xbf, .p66, .ignored, w: .w1), .init(.Vsd, .Hsd, .Wsd), .fusedScalar8,
            .fnmsub231pd, .fma),
    ]
}
