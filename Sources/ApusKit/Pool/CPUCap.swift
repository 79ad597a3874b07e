// SPDX-License-Identifier: Apache-2.0

/// The most CPU time that a guest's vCPUs use: `25%` of one CPU, `150%` for one and a half, or `none`.
public enum CPUCap: Hashable, TextCoded {
    case unlimited
    /// Hundredths of one CPU, from 1.
    case percent(Int)

    /// What the largest machine on the largest host could use.
    private static let range = 1...102_400

    /// Whole hundredths with a percent sign, or `none`.
    public init(parsing text: String) throws(VirtualMachineError) {
        guard text != "none" else {
            self = .unlimited
            return
        }
        let digits = text.dropLast()
        guard text.last == "%", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let percent = Int(digits),
            Self.range.contains(percent)
        else {
            throw VirtualMachineError(
                .configuration,
                "cap '\(text)' cannot be read; write hundredths of one CPU such as 25% or 150%, or none")
        }
        self = .percent(percent)
    }

    public var description: String {
        switch self {
        case .unlimited: "none"
        case .percent(let percent): "\(percent)%"
        }
    }

    /// The hundredths; nil for no cap.
    public var percent: Int? {
        if case .percent(let percent) = self { percent } else { nil }
    }

    func validate() throws(VirtualMachineError) {
        if case .percent = self { _ = try CPUCap(parsing: description) }
    }
}
