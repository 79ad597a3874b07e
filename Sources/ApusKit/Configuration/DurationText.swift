// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// A time as the command line writes it: seconds, or a whole number with `s`, `m` or `h`.
    public static func parse(_ text: String) throws(VirtualMachineError) -> Duration {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        let isNumber = (1...9).contains(digits.utf8.count) && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        guard isNumber, let number = Int64(digits), number > 0 else {
            throw VirtualMachineError(
                .configuration, "time '\(text)' cannot be read; write seconds, or a number with s, m or h, such as 5m")
        }
        return .seconds(number * (unit ?? 1))
    }
}
