// SPDX-License-Identifier: Apache-2.0

/// The exceptions' vectors (Intel SDM Vol 3A §7.15).
public enum ExceptionVector: UInt8, Sendable {
    case divideError = 0
    case debug = 1
    case nmi = 2
    case breakpoint = 3
    case overflow = 4
    case boundRange = 5
    case invalidOpcode = 6
    case deviceNotAvailable = 7
    case doubleFault = 8
    case invalidTSS = 10
    case segmentNotPresent = 11
    case stackFault = 12
    case generalProtection = 13
    case pageFault = 14
    case x87Error = 16
    case alignmentCheck = 17
    case machineCheck = 18
    case simdError = 19
    case virtualization = 20
    case controlProtection = 21

    /// Whether delivery pushes an error code (Intel SDM Vol 3A §7.13).
    public var hasErrorCode: Bool {
        switch self {
        case .doubleFault, .invalidTSS, .segmentNotPresent, .stackFault, .generalProtection, .pageFault,
            .alignmentCheck, .controlProtection:
            true
        default: false
        }
    }
}

/// An exception that an instruction raised and that is to be delivered: a value, as every guest's fault is.
public struct Fault: Equatable, Sendable {
    public var vector: ExceptionVector
    /// Zero for vectors without one.
    public var code: UInt32
    /// #PF: the linear address for CR2. #DB: the bits for DR6.
    public var address: UInt64

    /// An exception with its error code, and the address of a page fault.
    public init(_ vector: ExceptionVector, code: UInt32 = 0, address: UInt64 = 0) {
        self.vector = vector
        self.code = code
        self.address = address
    }

    /// #UD.
    public static var invalidOpcode: Fault { Fault(.invalidOpcode) }
    /// #GP(0).
    public static var generalProtection: Fault { Fault(.generalProtection) }
    /// #SS(0).
    public static var stackFault: Fault { Fault(.stackFault) }
    /// #NM.
    public static var deviceNotAvailable: Fault { Fault(.deviceNotAvailable) }
}
