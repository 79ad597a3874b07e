// SPDX-License-Identifier: Apache-2.0

extension OperandForm {
    /// Which part of an instruction says where an operand is.
    enum Place: UInt8 {
        /// Nothing: implied, or not there.
        case implied
        /// ModRM.rm: register or memory, memory alone, a register alone.
        case rm, memory, register
        /// ModRM.reg.
        case reg
        /// The opcode's low three bits.
        case opcode
        case vvvv
        /// The upper half of an immediate byte.
        case immediateRegister
        case immediate
        case relative
        case far
        case absolute
        case string
    }

    var place: Place {
        switch self {
        case .none, .AL, .rAX, .CL, .DX, .one, .rCX, .eAX, .CS, .DS, .ES, .FS, .GS, .SS, .ST0, .XMM0: .implied
        case .Eb, .Ew, .Ed, .Eq, .Ev, .Ey, .Mw_Rv, .Mb_Rd, .Mw_Rd, .Wx, .Wdq, .Wqq, .Wq, .Wd, .Ww, .Wb, .Wss, .Wsd,
            .Wh, .Qq, .Qd:
            .rm
        case .M, .Mb, .Mw, .Md, .Mq, .Mv, .My, .Mdq, .Mqq, .Mx, .Mp, .Ma, .Ms, .Mt, .VMd, .VMq, .Mstate: .memory
        case .Rd, .Rq, .Ry, .Rv, .Ux, .Udq, .Uqq, .Uss, .Usd, .Nq, .STi: .register
        case .Gb, .Gw, .Gd, .Gq, .Gv, .Gy, .Sw, .Cy, .Dy, .Vx, .Vdq, .Vqq, .Vq, .Vd, .Vss, .Vsd, .Vy, .Pq, .Pd: .reg
        case .Zb, .Zw, .Zv, .Zq, .Zy: .opcode
        case .By, .Hx, .Hdq, .Hqq, .Hss, .Hsd: .vvvv
        case .Lx, .Ldq: .immediateRegister
        case .Ib, .Ibs, .Iw, .Iz, .Iv: .immediate
        case .Jb, .Jz: .relative
        case .Ap: .far
        case .Ob, .Ov: .absolute
        case .Xb, .Xv, .Xz, .Yb, .Yv, .Yz: .string
        }
    }

    /// How wide an integer operand is.
    enum Size: UInt8 {
        /// Not an integer, or of no size of its own.
        case unsized
        case byte, word, double, quad
        /// The operand size; the same without 8 bytes; 4 or 8 bytes.
        case v, z, y
    }

    var size: Size {
        switch self {
        case .Eb, .Gb, .Zb, .Mb, .AL, .Ob, .Xb, .Yb: .byte
        case .Ew, .Gw, .Zw, .Mw, .Sw: .word
        case .Ed, .Gd, .Rd, .Md: .double
        case .Eq, .Gq, .Zq, .Rq, .Mq: .quad
        case .Ev, .Gv, .Zv, .Rv, .Mv, .rAX, .Ov, .Xv, .Yv, .Mw_Rv, .Ma, .Mp, .Iv, .Iz: .v
        case .Xz, .Yz, .eAX: .z
        case .Ey, .Gy, .Zy, .By, .Ry, .My, .Cy, .Dy: .y
        default: .unsized
        }
    }

    /// A register operand is a byte register.
    var isByteRegister: Bool { self == .Eb || self == .Gb || self == .Zb || self == .AL }
}

extension InstructionRow {
    /// Whether the encoding has a ModRM byte.
    var hasModRM: Bool {
        if encoding.digit >= 0 || encoding.rm >= 0 || encoding.registerForm != nil { return true }
        return [operands.first, operands.second, operands.third, operands.fourth].contains {
            switch $0.place {
            case .rm, .memory, .register, .reg: true
            default: false
            }
        }
    }
}
